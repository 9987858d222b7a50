import { FormatError } from '../../format-error.ts';

/** node:zlib takes no smaller pieces. */
const LEAST_CHUNK = 64;

/**
 * Options for an output of a known size: it is allocated once, instead of piece by piece and then as a whole. A byte more
 * shows an output that is larger before a second piece is filled with it.
 */
export function outputOf(size: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: size, chunkSize: Math.max(LEAST_CHUNK, size + 1) };
}

/** Runs a decompressor of node:zlib and gives its errors, and a wrong size, this folder's form. */
export function inflateWith(what: string, size: number, call: () => Uint8Array): Uint8Array {
  let out: Uint8Array;
  try {
    out = call();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const detail = cause instanceof Error ? cause.message : String(cause);
    const truncated =
      code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong' || detail === 'unexpected end of file';
    throw new FormatError(truncated ? 'truncated' : 'malformed', what, 0, detail);
  }
  if (out.length !== size)
    throw new FormatError('malformed', what, 0, `unpacked to ${out.length} bytes, ${size} announced`);
  return out;
}
