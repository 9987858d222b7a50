import { CHUNK_PAGES, chunkEnd, cutBuddies, type PageRun } from './buddy.ts';
import type { SlotNumbers } from './slot-numbers.ts';

/** Makes or deletes one memslot. Pages are guest page numbers without the C bit. */
export interface SlotPort {
  create(slot: number, run: PageRun): void;
  remove(slot: number): void;
}

interface Slot extends PageRun {
  readonly number: number;
}

/** So many free numbers are left to a change before slots are joined to get more. */
const RESERVE = 128;

/**
 * The memslots of one view of one RAM range. Deleting a slot takes its mappings down, so a change inside a large slot
 * leaves power-of-two pieces: each later change hits a smaller one.
 */
export class SlotLayer {
  readonly #port: SlotPort;
  readonly #numbers: SlotNumbers;
  /** Ascending, disjoint. */
  readonly #slots: Slot[] = [];

  constructor(port: SlotPort, numbers: SlotNumbers) {
    this.#port = port;
    this.#numbers = numbers;
  }

  get count(): number {
    return this.#slots.length;
  }

  /** What is mapped, as maximal runs. */
  mapped(): PageRun[] {
    return joined(this.#slots);
  }

  /** Maps a run whole as it is, with one slot: for RAM at the start, where nothing is to be taken down. */
  mapWhole(run: PageRun): void {
    this.#create([run]);
  }

  /** Maps what isn't mapped of [start, end). */
  map(start: number, end: number): void {
    this.#reserve();
    const hit = this.#overlapping(start, end);
    const gaps: PageRun[] = [];
    let at = start;
    for (const slot of hit) {
      if (slot.start > at) gaps.push({ start: at, end: slot.start });
      at = Math.max(at, slot.end);
    }
    if (at < end) gaps.push({ start: at, end });
    for (const gap of gaps) this.#fill(gap);
  }

  /** Unmaps what is mapped of [start, end). */
  unmap(start: number, end: number): void {
    this.#reserve();
    for (const slot of this.#overlapping(start, end)) {
      this.#remove(slot);
      if (slot.start < start) this.#create(cutBuddies(slot.start, start));
      if (slot.end > end) this.#create(cutBuddies(end, slot.end));
    }
  }

  /** Joins adjacent slots to as few as there are runs. Takes mappings down: only when numbers run out. */
  join(): void {
    for (const run of this.mapped()) {
      const inside = this.#overlapping(run.start, run.end);
      if (inside.length < 2) continue;
      for (const slot of inside) this.#remove(slot);
      this.#create([run]);
    }
  }

  /** Maps a gap; pieces smaller than a chunk grow together with what is mapped of their chunk. */
  #fill(gap: PageRun): void {
    for (const piece of cutBuddies(gap.start, gap.end)) {
      if (piece.end - piece.start >= CHUNK_PAGES) {
        this.#create([piece]);
        continue;
      }
      const chunkStart = chunkEnd(piece.start) - CHUNK_PAGES;
      const before = this.#overlapping(piece.start - 1, piece.start).find(({ start }) => start >= chunkStart);
      const after = this.#overlapping(piece.end, piece.end + 1).find(({ end }) => end <= chunkStart + CHUNK_PAGES);
      if (before !== undefined) this.#remove(before);
      if (after !== undefined) this.#remove(after);
      this.#create([{ start: before?.start ?? piece.start, end: after?.end ?? piece.end }]);
    }
  }

  /** One change needs at most two pieces a power of two. */
  #reserve(): void {
    if (this.#numbers.available < RESERVE) this.join();
  }

  #create(runs: readonly PageRun[]): void {
    for (const run of runs) {
      const number = this.#numbers.take();
      try {
        this.#port.create(number, run);
      } catch (error) {
        this.#numbers.give(number);
        throw error;
      }
      this.#slots.splice(this.#indexOf(run.start), 0, { ...run, number });
    }
  }

  #remove(slot: Slot): void {
    this.#port.remove(slot.number);
    this.#numbers.give(slot.number);
    this.#slots.splice(this.#slots.indexOf(slot, this.#indexOf(slot.start)), 1);
  }

  #overlapping(start: number, end: number): Slot[] {
    const found: Slot[] = [];
    let index = this.#indexOf(start);
    const before = this.#slots[index - 1];
    if (before !== undefined && before.end > start) index--;
    for (let slot = this.#slots[index]; slot !== undefined && slot.start < end; slot = this.#slots[++index])
      found.push(slot);
    return found;
  }

  /** Index of the first slot that starts at or behind a page. */
  #indexOf(page: number): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots[middle]?.start ?? 0) < page) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function joined(runs: readonly PageRun[]): PageRun[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of runs) {
    const last = result.at(-1);
    if (last !== undefined && last.end === start) last.end = end;
    else result.push({ start, end });
  }
  return result;
}
