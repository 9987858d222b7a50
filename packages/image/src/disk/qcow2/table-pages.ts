import type { ByteSource } from '../../source/byte-source.ts';
import { LruCache } from '../../source/lru-cache.ts';

/** Tables are read in pages of at most this size, which a table never begins or ends inside of. */
const PAGE = 4096;
/** What is kept of tables, in bytes: the maps of 8 GiB in clusters of 64 KiB. */
const KEPT = 2 ** 20;

/** Part of a table, and the place of what was asked for in it. */
export interface TablePage {
  readonly view: DataView;
  /** In bytes from the page's start. */
  readonly at: number;
}

/** L1 and L2 tables, read by pages as they are needed and kept within bounds, however large tables say they are. */
export class TablePages {
  readonly #source: ByteSource;
  readonly #pageBytes: number;
  readonly #pages = new LruCache<DataView>(KEPT);

  constructor(source: ByteSource, clusterBytes: number) {
    this.#source = source;
    this.#pageBytes = Math.min(PAGE, clusterBytes);
  }

  /** The page that holds the entry of `bytes` at `offset` of the file, if it is at hand. */
  cached(offset: number, bytes: number): TablePage | undefined {
    const at = offset % this.#pageBytes;
    const view = this.#pages.get(offset - at);
    // A page that the file's end cuts off may be too short for another table's entry.
    return view === undefined || at + bytes > view.byteLength ? undefined : { view, at };
  }

  /** @throws FormatError truncated where the entry lies outside of the file */
  async page(offset: number, bytes: number): Promise<TablePage> {
    const at = offset % this.#pageBytes;
    const start = offset - at;
    const length = Math.max(at + bytes, Math.min(this.#pageBytes, this.#source.size - start));
    // Copied, so that a page doesn't keep the block that it was read with.
    const copy = new Uint8Array(await this.#source.read(start, length));
    const view = new DataView(copy.buffer);
    this.#pages.set(start, view, length);
    return { view, at };
  }
}
