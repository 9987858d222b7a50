import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { crc32cAround } from '../crc32c.ts';
import type { Superblock } from './superblock.ts';

/** Disk addresses in block headers count these, whatever the sector size. */
const BASIC_BLOCK = 512;

/** What all readers of an XFS need. */
export interface XfsVolume {
  readonly source: ByteSource;
  readonly superblock: Superblock;
  readonly budget: Budget;
}

/**
 * Where a run of blocks lies, in bytes from the start of the volume.
 * @param address of its first block: group and number in the group, packed. @param count of blocks
 * @throws FormatError malformed where the run is not within one allocation group
 */
export function blockPlace({ superblock }: XfsVolume, address: number, count: number, what: string): number {
  const { groups, groupBlocks, groupBlockLog, blocks, blockSize } = superblock;
  const group = Math.floor(address / 2 ** groupBlockLog);
  const inGroup = address % 2 ** groupBlockLog;
  const room = Math.min(groupBlocks, blocks - group * groupBlocks);
  if (group >= groups || inGroup + count > room)
    throw new FormatError('malformed', what, 0, `block ${inGroup} of group ${group}, ${count} of them: no such place`);
  return (group * groupBlocks + inGroup) * blockSize;
}

/** Where a header has the fields by which a block tells what it is. The checksum is stored least byte first. */
export interface HeaderLayout {
  readonly crc: number;
  readonly place: number;
  readonly uuid: number;
  readonly owner: number;
}

/**
 * Checks what a block of version 5 says of itself: checksum, filesystem, place and owner. Costs a step for each 512
 * bytes: checksums are what a structure that leads to the same block again and again would have computed without end.
 * @param place of its first byte on the volume. @param owner inode that it belongs to
 * @throws FormatError malformed
 */
export function checkHeader(
  { superblock, budget }: XfsVolume,
  bytes: Uint8Array,
  layout: HeaderLayout,
  place: number,
  owner: number,
  what: string,
): void {
  budget.takeSteps(Math.ceil(bytes.length / BASIC_BLOCK), what, place);
  const reader = new ByteReader(bytes, 'big');
  const wrong = (field: string): FormatError => new FormatError('malformed', what, place, `its ${field} is wrong`);
  const stored = Buffer.from(reader.slice(layout.crc, 4, what)).readUInt32LE();
  if (stored !== crc32cAround(bytes, layout.crc)) throw wrong('checksum');
  if (Buffer.compare(reader.slice(layout.uuid, 16, what), superblock.blockUuid) !== 0) throw wrong('filesystem');
  if (reader.size64(layout.place, what) !== place / BASIC_BLOCK) throw wrong('place');
  if (reader.size64(layout.owner, what) !== owner) throw wrong('owner');
}
