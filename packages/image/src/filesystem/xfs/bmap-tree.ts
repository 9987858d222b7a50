import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { type BlockExtent, EXTENT_RECORD, readExtentRecords } from './extent-record.ts';
import type { Inode } from './inode.ts';
import { blockPlace, checkHeader, type HeaderLayout, type XfsVolume } from './volume.ts';

/** `BMA3` of version 5, `BMAP` of version 4. */
const MAGIC = { crc: 0x424d4133, plain: 0x424d4150 } as const;
const HEADER = { crc: 72, plain: 24 } as const;
const LAYOUT: HeaderLayout = { crc: 64, place: 24, uuid: 40, owner: 56 };
/** Of the root in the inode: its level and its count. */
const ROOT_HEADER = 4;
const KEY = 8;
const POINTER = 8;
/** As Linux (XFS_BTREE_MAXLEVELS): the smallest blocks hold all extents that a file can have in fewer. */
const MOST_LEVELS = 9;
/** Blocks that are kept checked: the way down for who reads a file from its start to its end. */
const KEPT = 2 * MOST_LEVELS;

/** A block of the tree that leads to others. */
interface Fanout {
  readonly level: number;
  /** The first block of the file that each child holds. */
  readonly keys: readonly number[];
  /** Addresses of the children. */
  readonly children: readonly number[];
}

type TreeBlock = Fanout | { readonly level: 0; readonly extents: readonly BlockExtent[] };

/** The part of the file that a child may speak of, in blocks: `end` is not included. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The B+tree of a fork with more extents than fit its inode. Blocks are read on the way to what is asked for. */
export class BmapTree {
  readonly #volume: XfsVolume;
  readonly #owner: number;
  readonly #what: string;
  readonly #root: Fanout;
  readonly #kept = new Map<number, TreeBlock>();

  /** @throws FormatError malformed */
  constructor(volume: XfsVolume, inode: Inode) {
    this.#volume = volume;
    this.#owner = inode.number;
    this.#what = `XFS extent tree of inode ${inode.number}`;
    const reader = new ByteReader(inode.fork, 'big');
    const level = reader.u16(0, this.#what);
    const count = reader.u16(2, this.#what);
    if (level === 0 || level >= MOST_LEVELS) throw this.#malformed(0, `a root of level ${level}`);
    this.#root = this.#readFanout(reader, level, count, ROOT_HEADER, { start: 0, end: Number.MAX_SAFE_INTEGER });
  }

  /** @throws FormatError malformed, over-budget */
  async find(from: number, to: number): Promise<BlockExtent[]> {
    const found: BlockExtent[] = [];
    await this.#collect(this.#root, { start: 0, end: Number.MAX_SAFE_INTEGER }, from, to, found);
    return found;
  }

  /** Levels only go down, so that no way is longer than the root's level; children's spans don't overlap. */
  async #collect(block: TreeBlock, span: Span, from: number, to: number, found: BlockExtent[]): Promise<void> {
    if ('extents' in block) {
      this.#volume.budget.takeSteps(block.extents.length, this.#what, 0);
      for (const extent of block.extents) if (extent.at < to && extent.at + extent.count > from) found.push(extent);
      return;
    }
    for (const [index, address] of block.children.entries()) {
      const below = { start: block.keys[index] ?? 0, end: block.keys[index + 1] ?? span.end };
      if (below.start >= to) break;
      if (below.end <= from) continue;
      await this.#collect(await this.#read(address, block.level - 1, below), below, from, to, found);
    }
  }

  async #read(address: number, level: number, span: Span): Promise<TreeBlock> {
    const { superblock, source, budget } = this.#volume;
    budget.takeSteps(1, this.#what, 0);
    const known = this.#kept.get(address);
    // The same address from two parents is checked for both.
    if (known !== undefined && known.level === level && startOf(known) === span.start) return known;
    const place = blockPlace(this.#volume, address, 1, this.#what);
    const bytes = await source.read(place, superblock.blockSize);
    const reader = new ByteReader(bytes, 'big');
    const magic = superblock.crc ? MAGIC.crc : MAGIC.plain;
    if (reader.u32(0, this.#what) !== magic) throw this.#malformed(place, 'no magic');
    if (superblock.crc) checkHeader(this.#volume, bytes, LAYOUT, place, this.#owner, this.#what);
    if (reader.u16(4, this.#what) !== level)
      throw this.#malformed(place, `level ${reader.u16(4, this.#what)} instead of ${level}`);
    const count = reader.u16(6, this.#what);
    const header = superblock.crc ? HEADER.crc : HEADER.plain;
    budget.takeSteps(count, this.#what, place);
    const block =
      level === 0
        ? this.#readLeaf(reader, count, header, span, place)
        : this.#readFanout(reader, level, count, header, span);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(address, block);
    return block;
  }

  #readLeaf(reader: ByteReader, count: number, header: number, span: Span, place: number): TreeBlock {
    if (count === 0 || header + count * EXTENT_RECORD > reader.length)
      throw this.#malformed(place, `${count} extents in a block`);
    const extents = readExtentRecords(reader, header, count, span.start, this.#what);
    const last = extents.at(-1);
    if (last !== undefined && last.at + last.count > span.end)
      throw this.#malformed(place, `block ${last.at} is of another leaf`);
    return { level: 0, extents };
  }

  /** Keys come first, then as much room for keys as there would be for all, then pointers. */
  #readFanout(reader: ByteReader, level: number, count: number, header: number, span: Span): Fanout {
    const most = Math.floor((reader.length - header) / (KEY + POINTER));
    if (count === 0 || count > most) throw this.#malformed(0, `${count} children, at most ${most}`);
    const keys: number[] = [];
    const children: number[] = [];
    for (let index = 0; index < count; index++) {
      const key = reader.size64(header + index * KEY, this.#what);
      if (key < span.start || key >= span.end || key <= (keys.at(-1) ?? -1))
        throw this.#malformed(0, `key ${key} is out of order`);
      keys.push(key);
      children.push(reader.size64(header + most * KEY + index * POINTER, this.#what));
    }
    return { level, keys, children };
  }

  #malformed(place: number, detail: string): FormatError {
    return new FormatError('malformed', this.#what, place, detail);
  }
}

/** The first block of the file that a block of the tree speaks of. */
function startOf(block: TreeBlock): number | undefined {
  return 'extents' in block ? block.extents[0]?.at : block.keys[0];
}
