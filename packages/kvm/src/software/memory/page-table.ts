import { FRAME_SHIFT } from './physical-memory.ts';

/** Pages of one chunk: 4 MiB of memory. */
const CHUNK_PAGES = 1024;
const IN_CHUNK = CHUNK_PAGES - 1;

interface Chunk {
  /** Frame numbers; 0 where there is none. */
  readonly frames: Int32Array;
  used: number;
}

/**
 * Page index → frame, sparse: up to 2^51 pages (the largest file), a chunk for each 4 MiB that has a frame. Reading is
 * one lookup. Frames are addresses here, 0 for none: no host frame lies at 0.
 */
export class PageTable {
  readonly #chunks = new Map<number, Chunk>();
  #count = 0;
  /** The chunk that was read last: neighbours are read together. */
  #lastIndex = -1;
  #last: Chunk | undefined;

  /** Pages that have a frame. */
  get count(): number {
    return this.#count;
  }

  get(page: number): number {
    const chunk = this.#chunkAt(Math.floor(page / CHUNK_PAGES));
    return chunk === undefined ? 0 : ((chunk.frames[page & IN_CHUNK] ?? 0) << FRAME_SHIFT) >>> 0;
  }

  /** Sets or replaces; the address must not be 0. */
  set(page: number, address: number): void {
    const index = Math.floor(page / CHUNK_PAGES);
    let chunk = this.#chunkAt(index);
    if (chunk === undefined) {
      chunk = { frames: new Int32Array(CHUNK_PAGES), used: 0 };
      this.#chunks.set(index, chunk);
      this.#lastIndex = index;
      this.#last = chunk;
    }
    const at = page & IN_CHUNK;
    if (chunk.frames[at] === 0) {
      chunk.used += 1;
      this.#count += 1;
    }
    chunk.frames[at] = address >>> FRAME_SHIFT;
  }

  delete(page: number): void {
    const index = Math.floor(page / CHUNK_PAGES);
    const chunk = this.#chunkAt(index);
    const at = page & IN_CHUNK;
    if (chunk === undefined || chunk.frames[at] === 0) return;
    chunk.frames[at] = 0;
    chunk.used -= 1;
    this.#count -= 1;
    if (chunk.used > 0) return;
    this.#chunks.delete(index);
    this.#lastIndex = -1;
    this.#last = undefined;
  }

  /** Visits the pages of [start, end) that have a frame, ascending. The visitor may delete the page it is told. */
  forEach(start: number, end: number, visit: (page: number, address: number) => void): void {
    for (const index of this.#chunksOf(start, end)) {
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) continue;
      const base = index * CHUNK_PAGES;
      const last = Math.min(CHUNK_PAGES, end - base);
      for (let at = Math.max(0, start - base); at < last; at++) {
        const frame = chunk.frames[at] ?? 0;
        if (frame !== 0) visit(base + at, (frame << FRAME_SHIFT) >>> 0);
      }
    }
  }

  /** Pages of [start, end) that have a frame. */
  countIn(start: number, end: number): number {
    let count = 0;
    this.forEach(start, end, () => {
      count += 1;
    });
    return count;
  }

  /** Walks whichever is shorter: the range's chunks or the chunks there are. */
  #chunksOf(start: number, end: number): number[] {
    const first = Math.floor(start / CHUNK_PAGES);
    const last = Math.ceil(end / CHUNK_PAGES);
    if (last - first <= this.#chunks.size)
      return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
    return [...this.#chunks.keys()].filter((index) => index >= first && index < last).sort((a, b) => a - b);
  }

  #chunkAt(index: number): Chunk | undefined {
    if (index === this.#lastIndex) return this.#last;
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined) {
      this.#lastIndex = index;
      this.#last = chunk;
    }
    return chunk;
  }
}
