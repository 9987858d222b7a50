import { FormatError } from '../format-error.ts';
import { checkRange } from './window.ts';

/**
 * The most bytes that one read may return: more than any kernel or initrd that a loader could place below 4 GiB, and
 * little enough that two of them fit the memory of a limited process. Lengths come from the image.
 */
export const MOST_AT_ONCE = 2 ** 28;

/**
 * Before a source reads: what was asked for lies in its `size` bytes, and is no more than one read may return.
 * @throws FormatError truncated; over-budget
 */
export function checkRead(what: string, size: number, offset: number, length: number): void {
  checkRange(what, size, offset, length);
  if (length > MOST_AT_ONCE)
    throw new FormatError('over-budget', what, offset, `${length} bytes at once, at most ${MOST_AT_ONCE} are read`);
}
