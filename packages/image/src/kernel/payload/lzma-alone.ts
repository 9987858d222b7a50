import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { LzmaDecoder } from './lzma-decoder.ts';

const HEADER = 13;
/** lc and lp have no other bound than their own, 8 and 4. */
const MOST_CONTEXT_BITS = 12;
const UNKNOWN_SIZE = 0xffffffffffffffffn;

/** The .lzma format: properties, dictionary size, unpacked size (or all ones, then an end marker), one stream. */
export function unpackLzmaAlone(payload: Uint8Array, size: number): Uint8Array {
  const reader = new ByteReader(payload);
  const announced = reader.u64(5, 'lzma size');
  if (announced !== UNKNOWN_SIZE && announced !== BigInt(size))
    throw new FormatError('malformed', 'lzma size', 5, `${announced}, but ${size} expected`);
  const packed = reader.length - HEADER;
  const decoder = new LzmaDecoder({ unpacked: size, packed, contextBits: MOST_CONTEXT_BITS });
  decoder.setProperties(reader.u8(0, 'lzma properties'), 0);
  const { pos, done } = decoder.decode(payload, HEADER, payload.length, 0, size);
  if (done !== size)
    throw new FormatError('malformed', 'lzma stream', pos, `unpacked to ${done} bytes, ${size} announced`);
  return decoder.out;
}
