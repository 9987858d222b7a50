import { zstdDecompressSync } from 'node:zlib';
import { inflateWith, outputOf } from './zlib-call.ts';

/** A frame header (RFC 8878, 3.1.1.1): the magic, then what the header has, then the window's size. */
const DESCRIPTOR = 4;
const WINDOW = 5;
const LEAST_HEADER = 6;
const CONTENT_SIZE_FLAG = 0xc0;
const SINGLE_SEGMENT = 0x20;
const DICTIONARY_FLAG = 0x03;
/** Of the first flag: the content's size follows in four bytes. */
const CONTENT_SIZE_IN_4 = 0x80;

/** Zstandard (RFC 8878), as `zstd -22 --ultra` makes it: window up to 128 MiB, which is also zlib's default limit. */
export function unpackZstd(payload: Uint8Array, size: number): Uint8Array {
  return inflateWith('zstd payload', size, () => zstdDecompressSync(withContentSize(payload, size), outputOf(size)));
}

/**
 * The same frame with the content's size in its header. The kernel's build packs from a pipe, and leaves it out; a
 * decoder that knows it writes where the bytes belong, without a window of its own that is as large as all of them.
 */
function withContentSize(payload: Uint8Array, size: number): Uint8Array {
  const descriptor = payload[DESCRIPTOR] ?? 0;
  const known = (descriptor & (CONTENT_SIZE_FLAG | SINGLE_SEGMENT | DICTIONARY_FLAG)) !== 0;
  if (known || payload.length < LEAST_HEADER) return payload;
  const header = Buffer.alloc(LEAST_HEADER + 4);
  header.set(payload.subarray(0, LEAST_HEADER));
  header[DESCRIPTOR] = descriptor | CONTENT_SIZE_IN_4;
  header.writeUInt32LE(size, WINDOW + 1);
  return Buffer.concat([header, payload.subarray(LEAST_HEADER)]);
}
