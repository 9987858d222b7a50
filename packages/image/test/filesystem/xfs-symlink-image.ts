/** Long symbolic links: mkfs.xfs 6.1 writes their blocks without the header that version 5 has (and Linux refuses). */
import { ByteReader } from '../../src/byte-reader.ts';
import { readExtentRecords } from '../../src/filesystem/xfs/extent-record.ts';
import { readInode } from '../../src/filesystem/xfs/inode.ts';
import { readSuperblock } from '../../src/filesystem/xfs/superblock.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { placeOf } from './xfs-btree-image.ts';
import { type Patch, seal } from './xfs-reseal.ts';

const HEADER = 56;

/** The blocks of a link as Linux would have written them, its only extent grown to `blocks` of them. */
export async function linkPatches(image: ByteSource, inode: number, target: string, blocks: number): Promise<Patch[]> {
  const superblock = readSuperblock(await image.read(0, 512));
  const { fork } = await readInode({ source: image, superblock, budget: new Budget(0, 100) }, inode);
  const [extent] = readExtentRecords(new ByteReader(fork, 'big'), 0, 1, 0, 'test');
  if (extent === undefined) throw new Error('a link in no blocks');
  const place = placeOf(superblock, extent.address);
  const bytes = Buffer.alloc(blocks * superblock.blockSize);
  bytes.write('XSLM', 0, 'latin1');
  bytes.writeUInt32BE(Buffer.byteLength(target), 8);
  bytes.set(superblock.blockUuid, 16);
  bytes.writeBigUInt64BE(BigInt(inode), 32);
  bytes.writeBigUInt64BE(BigInt(place / 512), 40);
  bytes.write(target, HEADER);

  const perBlock = 2 ** superblock.inodesPerBlockLog;
  const at = placeOf(superblock, Math.floor(inode / perBlock)) + (inode % perBlock) * superblock.inodeSize;
  const grown = Buffer.from(await image.read(at, superblock.inodeSize));
  grown.writeUInt32BE((grown.readUInt32BE(188) & ~0x1fffff) | blocks, 188);
  return [
    { offset: place, bytes: seal(bytes) },
    { offset: at, bytes: seal(grown) },
  ];
}
