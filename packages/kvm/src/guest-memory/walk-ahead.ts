import type { View } from '../port/index.ts';
import { CHUNK_PAGES, chunkEnd } from './buddy.ts';

/** Page after page in order before anything is mapped ahead. */
const SURE_AFTER = 4;

/**
 * Notices a guest that walks through memory by one view, page after page: a memset of 64 MiB must not cost 16,384
 * exits. What it allows to be mapped ahead doubles, and never leaves the 2 MiB chunk.
 */
export class WalkAhead {
  #view: View | null = null;
  #next = -1;
  #length = 0;

  /** A page was switched to `view`. Answers how many pages behind it may be mapped ahead. */
  step(page: number, view: View): number {
    this.#length = this.#view === view && this.#next === page ? this.#length + 1 : 1;
    this.#view = view;
    this.#next = page + 1;
    if (this.#length < SURE_AFTER) return 0;
    return Math.min(2 ** (this.#length - SURE_AFTER + 2), CHUNK_PAGES, chunkEnd(page) - page - 1);
  }

  /** So many pages were mapped ahead: the walk goes on behind them. */
  skip(pages: number): void {
    this.#next += pages;
  }
}
