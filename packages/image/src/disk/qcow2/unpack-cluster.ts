import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { FormatError } from '../../format-error.ts';
import { zstdFrameLength } from './zstd-frame.ts';

/**
 * A compressed cluster. What is stored is rounded up to sectors: behind it lies what follows in the file.
 * @param at where it lies in the file, for the error
 * @returns exactly `size` bytes. @throws FormatError malformed
 */
export function unpackCluster(kind: 'zlib' | 'zstd', packed: Uint8Array, size: number, at: number): Uint8Array {
  const options = { maxOutputLength: size, chunkSize: size };
  let out: Uint8Array;
  try {
    out =
      kind === 'zlib'
        ? inflateRawSync(packed, options)
        : zstdDecompressSync(packed.subarray(0, zstdFrameLength(packed)), options);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError('malformed', 'qcow2 compressed cluster', at, detail);
  }
  if (out.length !== size)
    throw new FormatError('malformed', 'qcow2 compressed cluster', at, `${out.length} bytes in a cluster of ${size}`);
  return out;
}
