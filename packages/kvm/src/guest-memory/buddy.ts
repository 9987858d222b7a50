/** 4 KiB pages of a 2 MiB chunk: below it slots follow the pages, above it powers of two. */
export const CHUNK_PAGES = 512;

/** Pages [start, end). */
export interface PageRun {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a run so that any later change takes down little: naturally aligned powers of two, and at the edges what is left
 * of a 2 MiB chunk. At most two pieces for each power of two.
 */
export function cutBuddies(start: number, end: number): PageRun[] {
  const pieces: PageRun[] = [];
  let at = start;
  while (at < end) {
    const size = largestBuddy(at, end);
    const stop = size > 0 ? at + size : Math.min(end, chunkEnd(at));
    pieces.push({ start: at, end: stop });
    at = stop;
  }
  return pieces;
}

/** First page behind the 2 MiB chunk of a page. */
export function chunkEnd(page: number): number {
  return (Math.floor(page / CHUNK_PAGES) + 1) * CHUNK_PAGES;
}

/** The largest power of two of whole chunks that starts here and fits, 0 for none. */
function largestBuddy(start: number, end: number): number {
  if (start % CHUNK_PAGES !== 0 || end - start < CHUNK_PAGES) return 0;
  let size = CHUNK_PAGES;
  while (start % (size * 2) === 0 && start + size * 2 <= end) size *= 2;
  return size;
}
