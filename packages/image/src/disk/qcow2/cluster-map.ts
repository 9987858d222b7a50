import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { Qcow2Header } from './header.ts';
import type { TablePage, TablePages } from './table-pages.ts';

/** What lies behind a stretch of the guest's disk, within one L2 table's page. Lengths in bytes, at least 1. */
export type Extent =
  /** Nothing: the backing file's bytes, or zeroes. */
  | { readonly kind: 'unallocated'; readonly length: number }
  | { readonly kind: 'zero'; readonly length: number }
  /** Plain bytes at `host` of the file. */
  | { readonly kind: 'data'; readonly length: number; readonly host: number }
  /** `length` bytes from `inCluster` of the cluster that is packed in `packed` bytes at `host`, as far as they go. */
  | {
      readonly kind: 'compressed';
      readonly length: number;
      readonly host: number;
      readonly packed: number;
      readonly inCluster: number;
    };

/** Of the upper half of an entry: bits 62 and 63, and those of an offset (9 to 55). */
const COMPRESSED = 0x40000000;
const OFFSET_HIGH = 0x00ffffff;
const OFFSET_LOW = 0xfffffe00;
const ZERO_FLAG = 1;
const SUBCLUSTERS = 32;
/** In bytes. */
const L1_ENTRY = 8;
const SECTOR = 512;

/** Follows the two levels of tables from the guest's offsets to the file's (docs/interop/qcow2.rst, "Cluster mapping"). */
export class ClusterMap {
  readonly #header: Qcow2Header;
  readonly #pages: TablePages;
  readonly #budget: Budget;
  readonly #clusterBytes: number;
  readonly #entryBytes: number;
  readonly #perTable: number;

  constructor(header: Qcow2Header, pages: TablePages, budget: Budget) {
    this.#header = header;
    this.#pages = pages;
    this.#budget = budget;
    this.#clusterBytes = 2 ** header.clusterBits;
    this.#entryBytes = header.extendedL2 ? 16 : 8;
    this.#perTable = this.#clusterBytes / this.#entryBytes;
  }

  /**
   * What lies at `offset` of the guest's disk, and how far it goes on: at most `most` bytes.
   * @throws FormatError malformed, truncated, over-budget
   */
  async extentAt(offset: number, most: number): Promise<Extent> {
    const cluster = Math.floor(offset / this.#clusterBytes);
    const inTable = cluster % this.#perTable;
    const l1At = this.#header.l1Offset + Math.floor(cluster / this.#perTable) * L1_ENTRY;
    const l1 = this.#pages.cached(l1At, L1_ENTRY) ?? (await this.#pages.page(l1At, L1_ENTRY));
    const table = offsetOf(l1);
    this.#checkPlace(table, 'qcow2 L1 entry', l1At);
    if (table === 0) {
      this.#budget.takeSteps(1, 'qcow2 L1 entry', l1At);
      return {
        kind: 'unallocated',
        length: Math.min(most, this.#perTable * this.#clusterBytes - this.#within(offset)),
      };
    }
    const at = table + inTable * this.#entryBytes;
    const page = this.#pages.cached(at, this.#entryBytes) ?? (await this.#pages.page(at, this.#entryBytes));
    return this.#extent(page, at, offset % this.#clusterBytes, most);
  }

  /** How far into its L2 table's stretch an offset lies. */
  #within(offset: number): number {
    return offset % (this.#perTable * this.#clusterBytes);
  }

  /** Joins entries that go on where the one before ends, as far as the page goes. */
  #extent(page: TablePage, at: number, inCluster: number, most: number): Extent {
    const first = this.#entry(page, at, inCluster);
    this.#budget.takeSteps(1, 'qcow2 L2 entry', at);
    if (first.kind === 'compressed') return { ...first, length: Math.min(first.length, most) };
    let { length } = first;
    let steps = 0;
    // The stretch ends with its cluster only if nothing in it differs.
    let next = inCluster + length;
    let entryAt = page.at;
    while (length < most) {
      if (next === this.#clusterBytes) {
        next = 0;
        entryAt += this.#entryBytes;
        if (entryAt + this.#entryBytes > page.view.byteLength) break;
      }
      const more = this.#entry({ view: page.view, at: entryAt }, at + entryAt - page.at, next);
      steps++;
      if (more.kind !== first.kind) break;
      if (more.kind === 'data' && first.kind === 'data' && more.host !== first.host + length) break;
      length += more.length;
      next += more.length;
    }
    this.#budget.takeSteps(steps, 'qcow2 L2 entry', at);
    return { ...first, length: Math.min(length, most) };
  }

  /** One entry from `inCluster` on: to its cluster's end, or to where its subclusters become others. */
  #entry(page: TablePage, at: number, inCluster: number): Extent {
    const high = page.view.getUint32(page.at);
    const low = page.view.getUint32(page.at + 4);
    const length = this.#clusterBytes - inCluster;
    if ((high & COMPRESSED) !== 0) return this.#compressed(high, low, inCluster);
    const host = offsetOf(page);
    this.#checkPlace(host, 'qcow2 L2 entry', at);
    if (this.#header.extendedL2) {
      if ((low & ZERO_FLAG) !== 0)
        throw new FormatError('malformed', 'qcow2 L2 entry', at, 'a zero flag beside subclusters');
      const allocated = page.view.getUint32(page.at + 12);
      const zero = page.view.getUint32(page.at + 8);
      return this.#subclusters(allocated, zero, { host, at, inCluster });
    }
    if ((low & ZERO_FLAG) !== 0) {
      if (this.#header.version < 3)
        throw new FormatError('malformed', 'qcow2 L2 entry', at, 'a zero flag in version 2');
      return { kind: 'zero', length };
    }
    return host === 0 ? { kind: 'unallocated', length } : { kind: 'data', length, host: host + inCluster };
  }

  /** Of 64 bits, the last 62 are an offset and above it a count of further sectors, divided by the cluster's size. */
  #compressed(high: number, low: number, inCluster: number): Extent {
    const { clusterBits } = this.#header;
    const offsetBits = 62 - (clusterBits - 8);
    const highBits = offsetBits - 32;
    const fields = high & 0x3fffffff;
    const sectors = (fields >>> highBits) + 1;
    const host = (fields & (2 ** highBits - 1)) * 2 ** 32 + low;
    const packed = sectors * SECTOR - (host % SECTOR);
    return { kind: 'compressed', length: this.#clusterBytes - inCluster, host, packed, inCluster };
  }

  #subclusters(
    allocated: number,
    zero: number,
    place: { readonly host: number; readonly at: number; readonly inCluster: number },
  ): Extent {
    const { host, at, inCluster } = place;
    if ((allocated & zero) !== 0)
      throw new FormatError('malformed', 'qcow2 L2 entry', at, 'a subcluster both allocated and zero');
    if (allocated !== 0 && host === 0)
      throw new FormatError('malformed', 'qcow2 L2 entry', at, 'subclusters without a cluster');
    const subBytes = this.#clusterBytes / SUBCLUSTERS;
    const first = Math.floor(inCluster / subBytes);
    const isAllocated = (allocated >>> first) & 1;
    const isZero = (zero >>> first) & 1;
    let end = first + 1;
    while (end < SUBCLUSTERS && ((allocated >>> end) & 1) === isAllocated && ((zero >>> end) & 1) === isZero) end++;
    const length = end * subBytes - inCluster;
    if (isZero === 1) return { kind: 'zero', length };
    return isAllocated === 1 ? { kind: 'data', length, host: host + inCluster } : { kind: 'unallocated', length };
  }

  #checkPlace(offset: number, what: string, at: number): void {
    if (offset % this.#clusterBytes !== 0 || !Number.isSafeInteger(offset))
      throw new FormatError('malformed', what, at, `leads to byte ${offset}, where no cluster begins`);
  }
}

/** Bits 9 to 55 of an entry. */
function offsetOf({ view, at }: TablePage): number {
  return (view.getUint32(at) & OFFSET_HIGH) * 2 ** 32 + ((view.getUint32(at + 4) & OFFSET_LOW) >>> 0);
}
