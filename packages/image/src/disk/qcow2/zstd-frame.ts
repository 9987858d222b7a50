import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';

const MAGIC = 0xfd2fb528;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const BLOCK = { raw: 0, rle: 1, compressed: 2 } as const;

/**
 * How long the zstd frame is that the bytes begin with (RFC 8878, 3.1.1): its end is told nowhere else, and a
 * decompressor takes what follows for another frame.
 * @throws FormatError malformed, truncated
 */
export function zstdFrameLength(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  if (reader.u32(0, 'zstd frame') !== MAGIC) throw new FormatError('malformed', 'zstd frame', 0, 'no magic');
  const descriptor = reader.u8(4, 'zstd frame header');
  const single = (descriptor >> 5) & 1;
  const sizeFlag = (descriptor >> 6) & 3;
  const contentSize = sizeFlag === 0 ? single : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  let at = 5 + (1 - single) + (DICTIONARY_BYTES[descriptor & 3] ?? 0) + contentSize;
  for (;;) {
    const header = reader.u16(at, 'zstd block') | (reader.u8(at + 2, 'zstd block') << 16);
    const type = (header >> 1) & 3;
    if (type > BLOCK.compressed) throw new FormatError('malformed', 'zstd block', at, 'a reserved type');
    at += 3 + (type === BLOCK.rle ? 1 : header >> 3);
    if ((header & 1) === 1) break;
  }
  const end = at + ((descriptor >> 2) & 1 ? 4 : 0);
  if (end > bytes.length) throw new FormatError('truncated', 'zstd frame', end, `${bytes.length} bytes in all`);
  return end;
}
