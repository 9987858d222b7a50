import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { updateCrc32c, updateCrc32cBy32 } from '../crc32c.ts';
import { crc16 } from './crc16.ts';
import { checkBlocks, type ExtVolume } from './ext-volume.ts';
import type { Superblock } from './superblock.ts';

const WHAT = 'ext group descriptor';
const CHECKSUM_AT = 0x1e;
const WIDE_BYTES = 64;

/** Where a group's inode table starts, in blocks. @throws FormatError malformed */
export async function inodeTableOf(volume: ExtVolume, group: number): Promise<number> {
  const { superblock } = volume;
  const { blockBytes, descriptorBytes, inodesPerGroup, inodeBytes } = superblock;
  const perBlock = blockBytes / descriptorBytes;
  const block = descriptorBlock(superblock, Math.floor(group / perBlock), perBlock);
  checkBlocks(volume, block, 1, WHAT);
  const at = block * blockBytes + (group % perBlock) * descriptorBytes;
  volume.budget.takeSteps(1, WHAT, at);
  const descriptor = new ByteReader(await volume.metadata.read(at, descriptorBytes));
  if (checksumOf(superblock, group, descriptor) !== descriptor.u16(CHECKSUM_AT, WHAT))
    throw new FormatError('malformed', WHAT, at, 'its checksum is wrong');
  const high = descriptorBytes >= WIDE_BYTES ? descriptor.u32(0x28, WHAT) : 0;
  const table = high * 2 ** 32 + descriptor.u32(0x8, WHAT);
  checkBlocks(volume, table, Math.ceil((inodesPerGroup * inodeBytes) / blockBytes), 'ext inode table');
  return table;
}

/** Descriptors follow the superblock's block; with meta_bg, each of their blocks is in the first group it describes. */
function descriptorBlock(superblock: Superblock, index: number, perBlock: number): number {
  const { blockBytes, firstBlock, firstMetaGroup, blocksPerGroup } = superblock;
  // Where the superblock has a block of its own: with blocks of 1 KiB, even if bigalloc counts from block 0.
  const superBlock = blockBytes === 1024 ? 1 : 0;
  if (firstMetaGroup === undefined || index < firstMetaGroup) return superBlock + 1 + index;
  const group = index * perBlock;
  const start = firstBlock + group * blocksPerGroup;
  if (!hasBackup(superblock, group)) return start;
  return start + 1 + (group === 0 && firstBlock === 0 ? superBlock : 0);
}

function hasBackup({ backups }: Superblock, group: number): boolean {
  if (backups === 'all' || group === 0) return true;
  if (backups !== 'sparse') return backups.includes(group);
  return group === 1 || [3, 5, 7].some((base) => isPowerOf(base, group));
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

/** What the checksum must be; what it is where there is none. */
function checksumOf(superblock: Superblock, group: number, descriptor: ByteReader): number {
  const before = descriptor.slice(0, CHECKSUM_AT, WHAT);
  const after = descriptor.slice(CHECKSUM_AT + 2, descriptor.length - CHECKSUM_AT - 2, WHAT);
  const zero = new Uint8Array(2);
  switch (superblock.descriptorChecksum) {
    case 'none':
      return descriptor.u16(CHECKSUM_AT, WHAT);
    case 'crc16': {
      const number = Uint8Array.of(group & 0xff, (group >>> 8) & 0xff, (group >>> 16) & 0xff, group >>> 24);
      return crc16(crc16(crc16(crc16(0xffff, superblock.uuidBytes), number), before), after);
    }
    case 'crc32c': {
      const seed = updateCrc32cBy32(superblock.checksumSeed ?? 0, group);
      return updateCrc32c(updateCrc32c(updateCrc32c(seed, before), zero), after) & 0xffff;
    }
  }
}
