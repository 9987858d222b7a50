import { zstdDecompressSync } from 'node:zlib';
import { inflateWith, outputOf } from './zlib-call.ts';

/** Zstandard (RFC 8878), as `zstd -22 --ultra` makes it: window up to 128 MiB, which is also zlib's default limit. */
export function unpackZstd(payload: Uint8Array, size: number): Uint8Array {
  return inflateWith('zstd payload', size, () => zstdDecompressSync(payload, outputOf(size)));
}
