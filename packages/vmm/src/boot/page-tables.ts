import { type GpaRange, PAGE_BYTES } from '@unpin/kvm';
import { BootError } from './boot-error.ts';

const LARGE_PAGE = 2 * 1024 * 1024;
const ENTRIES = 512;
const ENTRY_BYTES = 8;
const PRESENT = 1n;
const WRITABLE = 2n;
/** PS in a page-directory entry: it maps 2 MiB itself. */
const LARGE = 1n << 7n;
/** Bits of an entry that hold an address, without the C bit. */
const LOWEST_C_BIT = 32;
const HIGHEST_C_BIT = 51;

/** A run of guest-virtual addresses that leads to a run of guest-physical ones, in 2 MiB steps. */
export interface Window {
  /** First guest-virtual address, below 2^47. */
  readonly va: number;
  readonly gpa: number;
  readonly size: number;
  /** Which view the mapping gives; `private` sets the C bit where there is one. */
  readonly view: 'private' | 'shared';
}

export interface PageTables {
  /** With the C bit: page walks are private under SEV whatever CR3 says, and Linux checks that it is set. */
  readonly cr3: bigint;
  readonly gpa: number;
  readonly bytes: Uint8Array;
}

/**
 * Four-level page tables (AMD64 Architecture Programmer's Manual 2, 5.3) over the windows, from `place.gpa` on.
 * Entries that lead to tables always carry the C bit, those that map a page by their window's view.
 * @throws BootError `bad-mapping` for windows that aren't 2 MiB-aligned, a C bit outside 32–51, or too little room.
 */
export function pageTables(windows: readonly Window[], cBit: number | null, place: GpaRange): PageTables {
  const mask = cBit === null ? 0n : cBitMask(cBit);
  const builder = new Builder(place, mask);
  for (const window of windows) builder.map(window);
  return { cr3: BigInt(place.gpa) | mask, gpa: place.gpa, bytes: builder.bytes() };
}

/** The C bit as a mask. */
export function cBitMask(cBit: number): bigint {
  if (!Number.isInteger(cBit) || cBit < LOWEST_C_BIT || cBit > HIGHEST_C_BIT)
    throw new BootError('bad-mapping', `C bit ${cBit}`, `a bit from ${LOWEST_C_BIT} to ${HIGHEST_C_BIT} is needed`);
  return 1n << BigInt(cBit);
}

/** Table pages are taken one after another; the first is the PML4. */
class Builder {
  readonly #place: GpaRange;
  readonly #mask: bigint;
  readonly #tables: DataView[] = [];

  constructor(place: GpaRange, mask: bigint) {
    this.#place = place;
    this.#mask = mask;
    this.#newTable();
  }

  map(window: Window): void {
    for (const [name, value] of [
      ['va', window.va],
      ['gpa', window.gpa],
      ['size', window.size],
    ] as const)
      if (value % LARGE_PAGE !== 0)
        throw new BootError(
          'bad-mapping',
          `a window with ${name} 0x${value.toString(16)}`,
          'multiples of 2 MiB are needed',
        );
    const attributes = PRESENT | WRITABLE | LARGE | (window.view === 'private' ? this.#mask : 0n);
    for (let done = 0; done < window.size; done += LARGE_PAGE) {
      const page = Math.floor((window.va + done) / LARGE_PAGE);
      const pd = this.#descend(
        this.#descend(0, Math.floor(page / (ENTRIES * ENTRIES))),
        Math.floor(page / ENTRIES) % ENTRIES,
      );
      this.#table(pd).setBigUint64((page % ENTRIES) * ENTRY_BYTES, BigInt(window.gpa + done) | attributes, true);
    }
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#tables.length * PAGE_BYTES);
    for (const [index, table] of this.#tables.entries()) all.set(new Uint8Array(table.buffer), index * PAGE_BYTES);
    return all;
  }

  /** The number of the table behind an entry, made where there is none. */
  #descend(table: number, entry: number): number {
    const view = this.#table(table);
    const value = view.getBigUint64(entry * ENTRY_BYTES, true);
    if (value !== 0n) return (Number(value & ~this.#mask & ~0xfffn) - this.#place.gpa) / PAGE_BYTES;
    const next = this.#newTable();
    const gpa = BigInt(this.#place.gpa + next * PAGE_BYTES);
    view.setBigUint64(entry * ENTRY_BYTES, gpa | this.#mask | PRESENT | WRITABLE, true);
    return next;
  }

  #newTable(): number {
    if ((this.#tables.length + 1) * PAGE_BYTES > this.#place.size)
      throw new BootError('bad-mapping', `${this.#place.size} bytes for page tables`, 'the windows need more');
    return this.#tables.push(new DataView(new ArrayBuffer(PAGE_BYTES))) - 1;
  }

  #table(index: number): DataView {
    const table = this.#tables[index];
    if (table === undefined) throw new RangeError(`no page table ${index}`);
    return table;
  }
}
