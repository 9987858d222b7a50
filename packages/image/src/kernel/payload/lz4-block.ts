import { FormatError } from '../../format-error.ts';

const MIN_MATCH = 4;
/** Short stretches are copied by words in a loop, which may write a few bytes too many: what follows overwrites them. */
const WORD = 4;
/** From this length on, a call costs less than a loop. */
const LONG = 64;

/**
 * Decodes one LZ4 block (lz4_Block_format.md) from `input[from, to)` to `out` at `at`.
 * Matches may reach back to `windowStart` in `out`.
 * @returns the position after the last byte written
 * @throws FormatError `truncated` where the block ends inside a sequence, `malformed` for an offset before the
 * window, `over-budget` where the output is full
 */
export function decodeLz4Block(
  input: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
  windowStart: number,
): number {
  const source = new DataView(input.buffer, input.byteOffset, to);
  const target = new DataView(out.buffer, out.byteOffset, out.length);
  // Up to here, four bytes may be read or written at once although only some of them are wanted.
  const lastSource = to - WORD;
  const lastTarget = out.length - WORD;
  let pos = from;
  let dst = at;
  while (pos < to) {
    const token = input[pos++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (pos >= to) throw cut(pos);
        more = input[pos++] as number;
        literals += more;
      } while (more === 255);
    }
    if (pos + literals > to) throw cut(pos);
    if (dst + literals > out.length) throw full(pos);
    const literalsEnd = dst + literals;
    if (literals > LONG) out.set(input.subarray(pos, pos + literals), dst);
    else if (pos + literals <= lastSource && literalsEnd <= lastTarget)
      for (let i = 0; i < literals; i += WORD) target.setUint32(dst + i, source.getUint32(pos + i, true), true);
    else for (let i = 0; i < literals; i++) out[dst + i] = input[pos + i] as number;
    pos += literals;
    dst = literalsEnd;
    // The last sequence is literals only.
    if (pos === to) return dst;

    if (pos + 2 > to) throw cut(pos);
    const distance = (input[pos] as number) | ((input[pos + 1] as number) << 8);
    if (distance === 0 || distance > dst - windowStart)
      throw new FormatError('malformed', 'lz4 match', pos, `offset ${distance} leads before the window`);
    pos += 2;
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        if (pos >= to) throw cut(pos);
        more = input[pos++] as number;
        length += more;
      } while (more === 255);
    }
    length += MIN_MATCH;
    if (dst + length > out.length) throw full(pos);
    const end = dst + length;
    if (length > LONG && distance >= length) out.copyWithin(dst, dst - distance, end - distance);
    else if (distance >= WORD && end <= lastTarget)
      for (; dst < end; dst += WORD) target.setUint32(dst, target.getUint32(dst - distance, true), true);
    else for (; dst < end; dst++) out[dst] = out[dst - distance] as number;
    dst = end;
  }
  return dst;
}

function cut(pos: number): FormatError {
  return new FormatError('truncated', 'lz4 block', pos, 'ends inside a sequence');
}

function full(pos: number): FormatError {
  return new FormatError('over-budget', 'lz4 block', pos, 'unpacks to more than the announced size');
}
