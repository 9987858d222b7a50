import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { cachedSource } from '../../source/cached-source.ts';
import { readSuperblock, type Superblock } from './superblock.ts';

/** Metadata is read in pieces that lie close together, again and again. */
const CACHE_BYTES = 4 * 2 ** 20;
/** Inode tables and large directories are read in their order. */
const READ_AHEAD_BYTES = 2 ** 17;

/** What all parts of reading an ext filesystem need. */
export interface ExtVolume {
  readonly source: ByteSource;
  /** The same bytes, kept in memory for a while. */
  readonly metadata: ByteSource;
  readonly superblock: Superblock;
  readonly budget: Budget;
}

/** @throws FormatError what reading the superblock throws */
export async function openVolume(source: ByteSource, budget: Budget): Promise<ExtVolume> {
  const superblock = await readSuperblock(source);
  const blockBytes = Math.max(superblock.blockBytes, 4096);
  const metadata = cachedSource(source, { blockBytes, cacheBytes: CACHE_BYTES, readAheadBytes: READ_AHEAD_BYTES });
  return { source, metadata, superblock, budget };
}

/**
 * A block of metadata.
 * @throws FormatError malformed where the filesystem has no such block; truncated where the volume ends before it
 */
export async function readBlock(volume: ExtVolume, block: number, what: string): Promise<Uint8Array> {
  const { blockBytes } = volume.superblock;
  checkBlocks(volume, block, 1, what);
  volume.budget.takeSteps(1, what, block * blockBytes);
  return volume.metadata.read(block * blockBytes, blockBytes);
}

/** @throws FormatError malformed unless `count` blocks from `block` on are the filesystem's */
export function checkBlocks(volume: ExtVolume, block: number, count: number, what: string): void {
  const { blocks, firstBlock, blockBytes } = volume.superblock;
  // Block 0 is never anyone's: it stands for a hole, and holds the superblock or what comes before it.
  if (block < Math.max(1, firstBlock) || block + count > blocks)
    throw new FormatError(
      'malformed',
      what,
      block * blockBytes,
      `blocks ${block} to ${block + count - 1} of ${blocks}`,
    );
}
