import { FormatError } from '../format-error.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A part of a source, as a source of its own.
 * @throws FormatError truncated where the part doesn't lie in the whole
 */
export function windowOf(whole: ByteSource, name: string, start: number, size: number): ByteSource {
  checkRange(name, whole.size, start, size);
  return {
    name,
    size,
    // Asynchronous even where nothing is waited for: a range outside rejects as every other failure does.
    read: async (offset, length) => {
      checkRange(name, size, offset, length);
      return whole.read(start + offset, length);
    },
  };
}

/** @throws FormatError truncated where the range doesn't lie in `size` bytes */
export function checkRange(what: string, size: number, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  )
    throw new FormatError('truncated', what, offset, `${length} bytes wanted, ${size} in all`);
}
