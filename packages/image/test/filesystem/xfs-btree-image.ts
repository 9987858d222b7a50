/**
 * A file whose extents are in a B+tree, as a patch of an image: without mounting, mkfs.xfs never makes one. The blocks
 * of a file that lie in a row are dealt out anew, and the tree over them is built here.
 */
import { ByteReader } from '../../src/byte-reader.ts';
import { readExtentRecords } from '../../src/filesystem/xfs/extent-record.ts';
import { readInode } from '../../src/filesystem/xfs/inode.ts';
import { readSuperblock, type Superblock } from '../../src/filesystem/xfs/superblock.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { type Patch, seal } from './xfs-reseal.ts';

/** A run of the file's blocks. */
export interface Run {
  readonly at: number;
  readonly count: number;
  /** Of its first block: group and number in the group, packed. */
  readonly address: number;
  readonly unwritten: boolean;
}

export interface Layout {
  readonly inode: number;
  readonly size: number;
  readonly runs: readonly Run[];
  /** Children of each block of the tree, at most. */
  readonly fanout: number;
  /** Blocks that the tree may use: nothing else may be in them that is looked at. */
  readonly room: number;
}

/** Where the only extent of a file begins, and 2500 blocks at the end of the second group, where nothing lies. */
export async function placesOf(image: ByteSource, inode: number): Promise<{ first: number; room: number }> {
  const superblock = readSuperblock(await image.read(0, 512));
  const { fork, extentCount } = await readInode({ source: image, superblock, budget: new Budget(0, 100) }, inode);
  const [extent] = readExtentRecords(new ByteReader(fork, 'big'), 0, extentCount, 0, 'test');
  if (extent === undefined || extentCount !== 1) throw new Error('a file in no or in several extents');
  return { first: extent.address, room: 2 ** superblock.groupBlockLog + superblock.groupBlocks - 2500 };
}

/** @returns the patches, and how many levels the root is above the leaves */
export async function btreePatches(image: ByteSource, layout: Layout): Promise<{ patches: Patch[]; level: number }> {
  const superblock = readSuperblock(await image.read(0, 512));
  const { blockSize, inodeSize, inodesPerBlockLog } = superblock;
  const patches: Patch[] = [];
  let next = layout.room;
  const store = (level: number, count: number, fill: (bytes: Buffer) => void): number => {
    const address = next++;
    const place = placeOf(superblock, address);
    const bytes = Buffer.alloc(blockSize);
    bytes.write('BMA3', 0, 'latin1');
    bytes.writeUInt16BE(level, 4);
    bytes.writeUInt16BE(count, 6);
    bytes.fill(0xff, 8, 24);
    bytes.writeBigUInt64BE(BigInt(place / 512), 24);
    bytes.set(superblock.blockUuid, 40);
    bytes.writeBigUInt64BE(BigInt(layout.inode), 56);
    fill(bytes);
    patches.push({ offset: place, bytes: seal(bytes) });
    return address;
  };

  let children = chunks(layout.runs, Math.min(layout.fanout, Math.floor((blockSize - 72) / 16))).map((runs) => ({
    key: runs[0]?.at ?? 0,
    address: store(0, runs.length, (bytes) => runs.forEach((run, index) => writeRun(bytes, 72 + index * 16, run))),
  }));
  const place = placeOf(superblock, Math.floor(layout.inode / 2 ** inodesPerBlockLog));
  const offset = place + (layout.inode % 2 ** inodesPerBlockLog) * inodeSize;
  const inode = Buffer.from(await image.read(offset, inodeSize));
  const forkBytes = (inode[82] === 0 ? inodeSize : 176 + (inode[82] ?? 0) * 8) - 176;
  const inRoot = Math.min(layout.fanout, Math.floor((forkBytes - 4) / 16));
  let level = 1;
  for (; children.length > inRoot; level++) {
    const most = Math.floor((blockSize - 72) / 16);
    children = chunks(children, Math.min(layout.fanout, most)).map((below) => ({
      key: below[0]?.key ?? 0,
      address: store(level, below.length, (bytes) => writeFanout(bytes, 72, most, below)),
    }));
  }
  inode.writeUInt8(3, 5);
  inode.writeBigUInt64BE(BigInt(layout.size), 56);
  inode.writeUInt32BE(layout.runs.length, 76);
  inode.fill(0, 176, 176 + forkBytes);
  inode.writeUInt16BE(level, 176);
  inode.writeUInt16BE(children.length, 178);
  writeFanout(inode, 180, Math.floor((forkBytes - 4) / 16), children);
  patches.push({ offset, bytes: seal(inode) });
  return { patches, level };
}

/** Of a block, in bytes from the start of the volume. */
export function placeOf({ groupBlockLog, groupBlocks, blockSize }: Superblock, address: number): number {
  return (Math.floor(address / 2 ** groupBlockLog) * groupBlocks + (address % 2 ** groupBlockLog)) * blockSize;
}

function writeRun(bytes: Buffer, at: number, run: Run): void {
  const packed =
    (run.unwritten ? 1n << 127n : 0n) | (BigInt(run.at) << 73n) | (BigInt(run.address) << 21n) | BigInt(run.count);
  bytes.writeBigUInt64BE(packed >> 64n, at);
  bytes.writeBigUInt64BE(packed & 0xffffffffffffffffn, at + 8);
}

function writeFanout(
  bytes: Buffer,
  at: number,
  most: number,
  children: readonly { readonly key: number; readonly address: number }[],
): void {
  for (const [index, { key, address }] of children.entries()) {
    bytes.writeBigUInt64BE(BigInt(key), at + index * 8);
    bytes.writeBigUInt64BE(BigInt(address), at + most * 8 + index * 8);
  }
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}
