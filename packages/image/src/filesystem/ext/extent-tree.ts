import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { LruCache } from '../../source/lru-cache.ts';
import { updateCrc32c } from '../crc32c.ts';
import type { Extent, ExtentLookup } from '../extent-source.ts';
import { checkBlocks, type ExtVolume, readBlock } from './ext-volume.ts';
import type { Inode } from './inode.ts';

/** Linux, Documentation/filesystems/ext4, extent tree. */
const MAGIC = 0xf30a;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 12;
/** As Linux: with the smallest blocks a full tree is no deeper. */
const DEPTH_LIMIT = 5;
/** Longer lengths mean as much less, of blocks that are kept for the file but were never written: zeroes. */
const WRITTEN_LIMIT = 32768;
/** Logical blocks have 32 bits. */
const BLOCKS_END = 2 ** 32;
/** Nodes are kept while a file is open: so many entries of them. */
const CACHED_ENTRIES = 2 ** 15;

const WHAT = 'ext4 extent tree';

/** An extent, or a node below and the blocks that its extents may map. */
interface Entry {
  /** In blocks of the file. */
  readonly first: number;
  readonly end: number;
  /** In blocks of the volume: the extent's first or the node's. Undefined for blocks never written. */
  readonly block: number | undefined;
}

interface Node {
  /** 0: its entries are extents. */
  readonly depth: number;
  readonly entries: readonly Entry[];
}

/** Where an inode's extents lie. */
export function extentTree(volume: ExtVolume, inode: Inode): ExtentLookup {
  const { blockBytes } = volume.superblock;
  const cache = new LruCache<Node>(CACHED_ENTRIES);
  let root: Node | undefined;

  async function nodeAt(block: number, depth: number, parent: Entry): Promise<Node> {
    const known = cache.get(block);
    // A block that two nodes lead to is read anew: what was right below the one may not be below the other.
    if (known?.depth === depth && known.entries.every(({ first, end }) => first >= parent.first && end <= parent.end))
      return known;
    const bytes = await readBlock(volume, block, WHAT);
    check(inode, bytes, block * blockBytes);
    const node = readNode(volume, new ByteReader(bytes), block * blockBytes, parent);
    if (node.depth !== depth)
      throw new FormatError('malformed', WHAT, block * blockBytes, `a node of depth ${node.depth} below ${depth + 1}`);
    cache.set(block, node, Math.max(1, node.entries.length));
    return node;
  }

  async function collect(node: Node, from: number, end: number, found: Extent[]): Promise<void> {
    const { entries } = node;
    for (let index = firstReaching(entries, from); index < entries.length; index++) {
      const entry = entries[index];
      if (entry === undefined || entry.first >= end) break;
      volume.budget.takeSteps(1, WHAT, inode.place);
      if (entry.block === undefined) continue;
      if (node.depth > 0) await collect(await nodeAt(entry.block, node.depth - 1, entry), from, end, found);
      else
        found.push({
          at: entry.first * blockBytes,
          length: (entry.end - entry.first) * blockBytes,
          start: entry.block * blockBytes,
        });
    }
  }

  return async (offset, length) => {
    root ??= readNode(volume, inode.map, inode.place, { first: 0, end: BLOCKS_END, block: undefined });
    const found: Extent[] = [];
    await collect(root, Math.floor(offset / blockBytes), Math.ceil((offset + length) / blockBytes), found);
    return found;
  };
}

/** The index of the first entry that ends behind a block. */
function firstReaching(entries: readonly Entry[], block: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.end ?? BLOCKS_END) > block) high = middle;
    else low = middle + 1;
  }
  return low;
}

function readNode(volume: ExtVolume, bytes: ByteReader, place: number, parent: Entry): Node {
  const malformed = (detail: string): FormatError => new FormatError('malformed', WHAT, place, detail);
  if (bytes.u16(0, WHAT) !== MAGIC) throw malformed('no node');
  const count = bytes.u16(2, WHAT);
  const depth = bytes.u16(6, WHAT);
  if (depth > DEPTH_LIMIT) throw malformed(`a depth of ${depth}`);
  if (HEADER_BYTES + count * ENTRY_BYTES > bytes.length) throw malformed(`${count} entries`);
  const firsts: number[] = [];
  for (let index = 0; index < count; index++) firsts.push(bytes.u32(HEADER_BYTES + index * ENTRY_BYTES, WHAT));
  const entries: Entry[] = [];
  for (const [index, first] of firsts.entries()) {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    const next = firsts[index + 1] ?? parent.end;
    const entry = depth > 0 ? readIndex(bytes, at, first, next) : readExtent(bytes, at, first);
    if (first < (index === 0 ? parent.first : first) || entry.end <= first || entry.end > next)
      throw malformed(`blocks ${first} to ${entry.end - 1} of the file are not in order`);
    if (entry.block !== undefined) checkBlocks(volume, entry.block, depth > 0 ? 1 : entry.end - first, WHAT);
    entries.push(entry);
  }
  return { depth, entries };
}

function readIndex(bytes: ByteReader, at: number, first: number, next: number): Entry {
  return { first, end: next, block: bytes.u16(at + 8, WHAT) * 2 ** 32 + bytes.u32(at + 4, WHAT) };
}

function readExtent(bytes: ByteReader, at: number, first: number): Entry {
  const length = bytes.u16(at + 4, WHAT);
  if (length > WRITTEN_LIMIT) return { first, end: first + length - WRITTEN_LIMIT, block: undefined };
  return { first, end: first + length, block: bytes.u16(at + 6, WHAT) * 2 ** 32 + bytes.u32(at + 8, WHAT) };
}

/** A node in a block of its own has its checksum behind the place for its last entry. */
function check(inode: Inode, bytes: Uint8Array, place: number): void {
  if (inode.checksumSeed === undefined) return;
  const reader = new ByteReader(bytes);
  const end = HEADER_BYTES + reader.u16(4, WHAT) * ENTRY_BYTES;
  if (updateCrc32c(inode.checksumSeed, reader.slice(0, end, WHAT)) !== reader.u32(end, WHAT))
    throw new FormatError('malformed', WHAT, place, 'its checksum is wrong');
}
