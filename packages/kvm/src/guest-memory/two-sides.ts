import { type GuestMemfd, type HostMemory, PAGE_BYTES, type View } from '../port/index.ts';
import type { PageRun } from './buddy.ts';
import { type RamLayout, ramOffset, ramParts } from './ram-layout.ts';
import type { SidePages } from './side-pages.ts';

/** Bytes whose pages are listed at once; above it a range is halved until a half has nothing in it. */
const LIST_BYTES = 16 << 20;
const ZERO_PAGE = Buffer.alloc(PAGE_BYTES);

/** What stands behind one view of all RAM: RAM ranges one behind the other, as the layout says. */
export interface Side {
  readonly memory: HostMemory;
  /** Where it is a guest_memfd. */
  readonly guestMemfd: GuestMemfd | null;
}

/** Both sides as files of this process: what a file has no page for is zero and is never touched to find that out. */
export class TwoSides implements SidePages {
  readonly #layout: RamLayout;
  readonly #sides: Readonly<Record<View, Side>>;

  constructor(layout: RamLayout, sides: Readonly<Record<View, Side>>) {
    this.#layout = layout;
    this.#sides = sides;
  }

  side(view: View): Side {
    return this.#sides[view];
  }

  peek(view: View, gpa: number, length: number): Uint8Array {
    const { memory } = this.#sides[view];
    const offset = this.#offset(gpa);
    const page = Math.floor(offset / PAGE_BYTES) * PAGE_BYTES;
    // Reading a hole through a mapping would allocate it.
    return memory.residentBytes(page, PAGE_BYTES) === 0 ? new Uint8Array(length) : memory.read(offset, length);
  }

  poke(view: View, gpa: number, bytes: Uint8Array): void {
    this.#sides[view].memory.write(this.#offset(gpa), bytes);
  }

  isZero(view: View, page: number): boolean {
    const { memory } = this.#sides[view];
    const offset = this.#offset(page * PAGE_BYTES);
    return memory.residentBytes(offset, PAGE_BYTES) === 0 || ZERO_PAGE.equals(memory.read(offset, PAGE_BYTES));
  }

  *resident(view: View, start: number, end: number): Generator<PageRun> {
    const { memory } = this.#sides[view];
    const range = { gpa: start * PAGE_BYTES, size: (end - start) * PAGE_BYTES };
    for (const { gpa, size, offset } of ramParts(this.#layout, range)) {
      const shift = (gpa - offset) / PAGE_BYTES;
      for (const run of residentRuns(memory, offset, size)) yield { start: run.start + shift, end: run.end + shift };
    }
  }

  discard(view: View, start: number, end: number): number {
    const { memory } = this.#sides[view];
    const range = { gpa: start * PAGE_BYTES, size: (end - start) * PAGE_BYTES };
    let given = 0;
    for (const { offset, size } of ramParts(this.#layout, range)) {
      const held = memory.residentBytes(offset, size);
      if (held === 0) continue;
      memory.discard(offset, size);
      given += held - memory.residentBytes(offset, size);
    }
    return given;
  }

  #offset(gpa: number): number {
    const offset = ramOffset(this.#layout, gpa);
    if (offset < 0) throw new RangeError(`no RAM at ${gpa.toString(16)}`);
    return offset;
  }
}

/** The allocated pages of a part of a file, as page numbers of the file. Empty halves cost one question each. */
function* residentRuns(memory: HostMemory, offset: number, length: number): Generator<PageRun> {
  if (memory.residentBytes(offset, length) === 0) return;
  if (length > LIST_BYTES) {
    const half = Math.floor(length / 2 / PAGE_BYTES) * PAGE_BYTES;
    yield* residentRuns(memory, offset, half);
    yield* residentRuns(memory, offset + half, length - half);
    return;
  }
  const first = offset / PAGE_BYTES;
  const pages = memory.residency(offset, length);
  // What is swapped out is the file's but in no page table: mincore doesn't list it.
  if (count(pages) * PAGE_BYTES < memory.residentBytes(offset, length))
    for (let page = 0; page < pages.length; page++)
      pages[page] = memory.residentBytes(offset + page * PAGE_BYTES, PAGE_BYTES) > 0 ? 1 : 0;
  for (let page = 0; page < pages.length; page++) {
    if (((pages[page] ?? 0) & 1) === 0) continue;
    const start = page;
    while (page < pages.length && ((pages[page] ?? 0) & 1) === 1) page++;
    yield { start: first + start, end: first + page };
  }
}

function count(pages: Uint8Array): number {
  let held = 0;
  for (const page of pages) held += page & 1;
  return held;
}
