import { FormatError } from '../format-error.ts';

/**
 * The most bytes that one read may return: more than any kernel or initrd that a loader could place below 4 GiB, and
 * little enough that two of them fit the memory of a limited process. Lengths come from the image.
 */
export const MOST_AT_ONCE = 2 ** 28;

/** Before a buffer of `length` bytes is made. @throws FormatError over-budget */
export function checkLength(what: string, offset: number, length: number): void {
  if (length > MOST_AT_ONCE)
    throw new FormatError('over-budget', what, offset, `${length} bytes at once, at most ${MOST_AT_ONCE} are read`);
}
