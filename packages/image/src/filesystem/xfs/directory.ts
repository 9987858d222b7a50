import { FormatError } from '../../format-error.ts';
import { DATA_LAYOUT, type DataBlock, dataBlock, isBlockForm, readDataBlock, readDataEntry } from './data-block.ts';
import { isDots, textOf, type XfsEntry } from './directory-entry.ts';
import { type BlockLookup, extentMap } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { addressesOf } from './leaf-index.ts';
import { nameHash } from './name-hash.ts';
import { readShortForm } from './short-form.ts';
import { blockPlace, checkHeader, type HeaderLayout, type XfsVolume } from './volume.ts';

/** A directory's own address space, in bytes: entries, from here on their index, and then the index of free space. */
const INDEX_START = 2 ** 35;
const INDEX_LAYOUT: HeaderLayout = { crc: 12, place: 16, uuid: 32, owner: 48 };
/** Extents that are looked up at once while all entries are read, in bytes. */
const WINDOW = 2 ** 20;

/** A directory of any form. */
export class Directory {
  readonly #volume: XfsVolume;
  readonly #inode: Inode;
  readonly #what: string;

  /** @throws FormatError malformed where the inode is no directory */
  constructor(volume: XfsVolume, inode: Inode) {
    this.#volume = volume;
    this.#inode = inode;
    this.#what = `XFS directory ${inode.number}`;
    if (inode.kind !== 'directory') throw this.#malformed(`this is a ${inode.kind}`);
  }

  /**
   * All entries, `.` and `..` left out. Their names are views of blocks: who keeps them keeps those.
   * @throws FormatError malformed, truncated, over-budget
   */
  async *entries(): AsyncGenerator<XfsEntry> {
    if (this.#inode.format === 'local') {
      yield* readShortForm(this.#volume, this.#inode);
      return;
    }
    const { blockSize, directoryBlockSize } = this.#volume.superblock;
    const lookup = extentMap(this.#volume, this.#inode);
    const end = Math.min(this.#inode.size, INDEX_START);
    let next = 0;
    // Blocks whose entries are all gone leave holes.
    for (let window = 0; window < end; window += WINDOW) {
      this.#volume.budget.takeSteps(1, this.#what, 0);
      const stop = Math.min(window + WINDOW, end);
      for (const extent of await lookup(window / blockSize, Math.ceil(stop / blockSize))) {
        const from = Math.max(extent.at * blockSize, window, next);
        const to = Math.min((extent.at + extent.count) * blockSize, stop);
        for (next = from - (from % directoryBlockSize); next < to; next += directoryBlockSize) {
          const block = await this.#dataBlock(lookup, next);
          yield* readDataBlock(this.#volume, block, this.#what);
        }
      }
    }
  }

  /** The entry of a name, by the index where there is one. @throws FormatError */
  async find(name: string): Promise<XfsEntry | undefined> {
    const wanted = Buffer.from(name, 'utf8');
    if (isDots(wanted)) return undefined;
    if (this.#volume.superblock.asciiCaseless) {
      const folded = asciiLower(name);
      for await (const entry of this.entries()) if (asciiLower(textOf(entry.rawName)) === folded) return entry;
      return undefined;
    }
    const same = (entry: XfsEntry): boolean => Buffer.compare(entry.rawName, wanted) === 0;
    if (this.#inode.format === 'local') return readShortForm(this.#volume, this.#inode).find(same);

    const { blockSize, directoryBlockSize } = this.#volume.superblock;
    const lookup = extentMap(this.#volume, this.#inode);
    const first = await this.#dataBlock(lookup, 0);
    if (isBlockForm(this.#volume, first, this.#what)) return readDataBlock(this.#volume, first, this.#what).find(same);
    const addresses = addressesOf(
      this.#volume,
      (block) => this.#indexBlock(lookup, block),
      INDEX_START / blockSize,
      nameHash(wanted),
      this.#what,
    );
    for await (const address of addresses) {
      const within = address % directoryBlockSize;
      const block = await this.#dataBlock(lookup, address - within);
      if (within < block.from || within >= block.to) throw this.#malformed('its index leads to no entry');
      const entry = readDataEntry(this.#volume, block, within, this.#what);
      if (same(entry)) return entry;
    }
    return undefined;
  }

  async #dataBlock(lookup: BlockLookup, offset: number): Promise<DataBlock> {
    if (offset >= INDEX_START) throw this.#malformed('entries where its index should be');
    const { place, bytes } = await this.#read(lookup, offset);
    if (this.#volume.superblock.crc)
      checkHeader(this.#volume, bytes, DATA_LAYOUT, place, this.#inode.number, this.#what);
    return dataBlock(this.#volume, bytes, place, this.#what);
  }

  async #indexBlock(lookup: BlockLookup, block: number): Promise<Uint8Array> {
    const offset = block * this.#volume.superblock.blockSize;
    if (offset < INDEX_START) throw this.#malformed(`its index leads to block ${block}`);
    const { place, bytes } = await this.#read(lookup, offset);
    if (this.#volume.superblock.crc)
      checkHeader(this.#volume, bytes, INDEX_LAYOUT, place, this.#inode.number, this.#what);
    return bytes;
  }

  /** A directory's block, which may lie in several pieces. `place` is the first one's, as its header has it. */
  async #read(lookup: BlockLookup, offset: number): Promise<{ readonly place: number; readonly bytes: Uint8Array }> {
    const { source, superblock, budget } = this.#volume;
    const { blockSize, directoryBlockSize } = superblock;
    budget.takeSteps(1, this.#what, 0);
    const from = offset / blockSize;
    const to = from + directoryBlockSize / blockSize;
    const pieces: Uint8Array[] = [];
    let place: number | undefined;
    let next = from;
    for (const extent of await lookup(from, to)) {
      const at = Math.max(extent.at, from);
      const count = Math.min(extent.at + extent.count, to) - at;
      if (at !== next || extent.unwritten) break;
      const start = blockPlace(this.#volume, extent.address + (at - extent.at), count, this.#what);
      place ??= start;
      pieces.push(await source.read(start, count * blockSize));
      next = at + count;
    }
    const [only] = pieces;
    if (place === undefined || only === undefined || next < to) throw this.#malformed(`no block at its byte ${offset}`);
    return { place, bytes: pieces.length === 1 ? only : Buffer.concat(pieces) };
  }

  #malformed(detail: string): FormatError {
    return new FormatError('malformed', this.#what, 0, detail);
  }
}

function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
