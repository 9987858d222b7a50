import { FormatError } from '../../format-error.ts';
import { LzmaDecoder } from './lzma-decoder.ts';

/** What an LZMA2 chunk's control byte (0x80 and above, bits 5–6) asks to be reset. */
const RESET = { none: 0, state: 1, stateAndProperties: 2, all: 3 } as const;

/** LZMA2 allows lc + lp up to 4, and chunks of up to 64 KiB. */
const LIMITS = { packed: 2 ** 16, contextBits: 4 };

/** A decoder for LZMA2 that has room for so many bytes. */
export function lzma2Decoder(unpacked: number): LzmaDecoder {
  return new LzmaDecoder({ unpacked, ...LIMITS });
}

/**
 * Decodes LZMA2 chunks from `input[from, to)` to the decoder's output at `at` until the end chunk.
 * @param decoder from lzma2Decoder; several stretches may go through one
 * @returns the positions after the end chunk and after the last byte written
 */
export function decodeLzma2(
  decoder: LzmaDecoder,
  input: Uint8Array,
  from: number,
  to: number,
  at: number,
): { pos: number; done: number } {
  const { out } = decoder;
  decoder.dictionaryStart = at;
  let pos = from;
  let done = at;
  let needDictionaryReset = true;
  let needProperties = true;
  const byte = (): number => {
    if (pos >= to) throw new FormatError('truncated', 'lzma2 chunk', pos, 'ends inside a chunk header');
    return input[pos++] as number;
  };
  for (;;) {
    const start = pos;
    const malformed = (detail: string): FormatError => new FormatError('malformed', 'lzma2 chunk', start, detail);
    const control = byte();
    if (control === 0) return { pos, done };
    if (control >= 0xe0 || control === 1) {
      decoder.dictionaryStart = done;
      needDictionaryReset = false;
      needProperties = true;
    } else if (needDictionaryReset) throw malformed('the first chunk does not reset the dictionary');

    if (control < 0x80) {
      if (control > 2) throw malformed(`control byte 0x${control.toString(16)}`);
      const size = ((byte() << 8) | byte()) + 1;
      if (pos + size > to) throw new FormatError('truncated', 'lzma2 chunk', pos, `${size} stored bytes announced`);
      if (done + size > out.length) throw overBudget(pos);
      out.set(input.subarray(pos, pos + size), done);
      pos += size;
      done += size;
      continue;
    }

    const unpacked = (((control & 0x1f) << 16) | (byte() << 8) | byte()) + 1;
    const packed = ((byte() << 8) | byte()) + 1;
    const reset = (control >> 5) & 3;
    if (reset >= RESET.stateAndProperties) {
      const at = pos;
      decoder.setProperties(byte(), at);
      needProperties = false;
    } else if (needProperties) throw malformed('no properties before the first LZMA chunk');
    else if (reset === RESET.state) decoder.resetState();
    if (pos + packed > to) throw new FormatError('truncated', 'lzma2 chunk', pos, `${packed} bytes announced`);
    if (done + unpacked > out.length) throw overBudget(pos);
    const result = decoder.decode(input, pos, pos + packed, done, done + unpacked);
    if (result.done !== done + unpacked || result.pos !== pos + packed || !result.finished)
      throw malformed('its two sizes do not agree with its content');
    pos = result.pos;
    done = result.done;
  }
}

function overBudget(pos: number): FormatError {
  return new FormatError('over-budget', 'lzma2 chunk', pos, 'unpacks to more than the announced size');
}
