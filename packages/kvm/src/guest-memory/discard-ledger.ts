import { PAGE_BYTES, type View } from '../port/index.ts';
import { Extents } from './extents.ts';

/** What a conversion discarded of a page: byte by byte, or only that there was something. */
export interface Discarded {
  readonly view: View;
  readonly bytes: Uint8Array | 'unknown';
}

/** So many pages are kept byte by byte (4 KiB each); of more only the page is known. */
const EXACT_PAGES = 2048;

/**
 * Data that conversions discarded and that the guest has not written anew. A correct guest never reads it again through
 * the view that lost it; one that reports wrong ranges (Linux 5.16 to 6.5, CVE-2023-53996) does.
 */
export class DiscardLedger {
  readonly #exact = new Map<number, { view: View; bytes: Uint8Array; left: number }>();
  readonly #coarse = new Extents<View | null>(null);

  /** `bytes` is the page as it was: what isn't zero is lost, unless another view had overwritten it already. */
  record(page: number, view: View, bytes: Uint8Array, isLive: (offset: number) => boolean): void {
    if (this.#exact.size >= EXACT_PAGES) {
      this.#coarse.set(page, page + 1, view);
      return;
    }
    const lost = new Uint8Array(PAGE_BYTES);
    let left = 0;
    for (let index = 0; index < bytes.length; index++) {
      if (bytes[index] === 0 || !isLive(index)) continue;
      lost[index] = 1;
      left++;
    }
    if (left > 0) this.#exact.set(page, { view, bytes: lost, left });
  }

  /** What `view` lost of a page. */
  at(page: number, view: View): Discarded | undefined {
    const exact = this.#exact.get(page);
    if (exact !== undefined) return exact.view === view ? exact : undefined;
    return this.#coarse.at(page) === view ? { view, bytes: 'unknown' } : undefined;
  }

  /** The guest wrote these bytes anew. */
  overwrite(page: number, offset: number, length: number): void {
    const exact = this.#exact.get(page);
    if (exact === undefined) return;
    for (let index = offset; index < offset + length; index++) {
      exact.left -= exact.bytes[index] ?? 0;
      exact.bytes[index] = 0;
    }
    if (exact.left === 0) this.#exact.delete(page);
  }

  forget(start: number, end: number): void {
    deletePages(this.#exact, start, end);
    this.#coarse.set(start, end, null);
  }
}

/** Deletes the entries of [start, end) in the time of the smaller of both. */
export function deletePages(map: Map<number, unknown>, start: number, end: number): void {
  if (map.size < end - start) {
    for (const page of map.keys()) if (page >= start && page < end) map.delete(page);
  } else {
    for (let page = start; page < end; page++) map.delete(page);
  }
}
