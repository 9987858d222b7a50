import { FormatError } from '../../format-error.ts';

/** Farther than this a match of two bytes after literals, or of three after a long run of them, doesn't begin. */
const SECOND_WINDOW = 2048;
const THIRD_WINDOW = 16384;
/** A first byte above this is a run of literals. */
const FIRST_LITERALS = 17;
/** What the last instruction was, apart from 1 to 3 literals that came with a match. */
const AFTER_MATCH = 0;
const AFTER_LITERALS = 4;

/**
 * Decodes one LZO1X stream (Documentation/staging/lzo.rst) from `input[from, to)` to `out` at `at` until its end mark.
 * Matches reach back to `at`.
 * @param limit no more is written: the announced end
 * @returns the position after the last byte written
 * @throws FormatError truncated; malformed for a distance before the start, or bytes after the end mark; over-budget
 * where the output is full
 */
export function decodeLzo1x(
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  let pos = from;
  let dst = at;
  const byte = (): number => {
    if (pos >= to) throw cut(pos);
    return input[pos++] as number;
  };
  /** A length that didn't fit its instruction: 255 for each zero byte, and the first other one. */
  const further = (): number => {
    let sum = 0;
    let next = byte();
    for (; next === 0; next = byte()) sum += 255;
    return sum + next;
  };
  const literals = (count: number): void => {
    if (count > to - pos) throw cut(pos);
    if (count > limit - dst) throw full(pos);
    if (count > 32) out.set(input.subarray(pos, pos + count), dst);
    else for (let i = 0; i < count; i++) out[dst + i] = input[pos + i] as number;
    pos += count;
    dst += count;
  };

  let state = AFTER_MATCH;
  const first = byte();
  if (first > FIRST_LITERALS) {
    const count = first - FIRST_LITERALS;
    literals(count);
    state = Math.min(count, AFTER_LITERALS);
  } else pos--;

  for (;;) {
    const instruction = byte();
    let length: number;
    let distance: number;
    let tail = instruction & 3;
    if (instruction >= 64) {
      length = instruction >= 128 ? 5 + ((instruction >> 5) & 3) : 3 + ((instruction >> 5) & 1);
      distance = (byte() << 3) + ((instruction >> 2) & 7) + 1;
    } else if (instruction >= 32) {
      length = 2 + (instruction & 31 || 31 + further());
      const low = byte();
      distance = (byte() << 6) + (low >> 2) + 1;
      tail = low & 3;
    } else if (instruction >= 16) {
      length = 2 + (instruction & 7 || 7 + further());
      const low = byte();
      distance = THIRD_WINDOW + ((instruction & 8) << 11) + (byte() << 6) + (low >> 2);
      tail = low & 3;
      if (distance === THIRD_WINDOW) {
        if (length !== 3 || pos !== to)
          throw new FormatError('malformed', 'lzo end mark', pos, `${to - pos} bytes follow`);
        return dst;
      }
    } else if (state === AFTER_MATCH) {
      literals(3 + (instruction || 15 + further()));
      state = AFTER_LITERALS;
      continue;
    } else {
      length = state === AFTER_LITERALS ? 3 : 2;
      distance = (byte() << 2) + (instruction >> 2) + 1 + (state === AFTER_LITERALS ? SECOND_WINDOW : 0);
    }
    if (distance > dst - at)
      throw new FormatError('malformed', 'lzo match', pos, `distance ${distance} leads before the start`);
    if (length > limit - dst) throw full(pos);
    if (length > 32 && distance >= length) out.copyWithin(dst, dst - distance, dst - distance + length);
    else for (let i = 0; i < length; i++) out[dst + i] = out[dst - distance + i] as number;
    dst += length;
    literals(tail);
    state = tail;
  }
}

function cut(pos: number): FormatError {
  return new FormatError('truncated', 'lzo stream', pos, 'ends inside an instruction');
}

function full(pos: number): FormatError {
  return new FormatError('over-budget', 'lzo stream', pos, 'unpacks to more than the announced size');
}
