import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { updateCrc32c, updateCrc32cBy32 } from '../crc32c.ts';
import type { FileKind } from '../filesystem.ts';
import type { ExtVolume } from './ext-volume.ts';
import { inodeTableOf } from './group-descriptor.ts';

export const ROOT_INODE = 2;

export const FLAG_ENCRYPTED = 0x800;
export const FLAG_INDEXED = 0x1000;
export const FLAG_EXTENTS = 0x80000;
export const FLAG_INLINE_DATA = 0x1000_0000;

const FLAG_HUGE_FILE = 0x40000;

/** Where an inode has its block map, and how large that is. */
const MAP_AT = 0x28;
export const MAP_BYTES = 60;
/** Fields from here on are there as far as the inode says. */
export const EXTRA_AT = 0x80;
const CHECKSUM_LOW_AT = 0x7c;
const CHECKSUM_HIGH_AT = 0x82;

const WHAT = 'ext inode';

/** Linux, Documentation/filesystems/ext4, inodes. */
export interface Inode {
  readonly number: number;
  readonly kind: FileKind;
  /** Of its content, in bytes. */
  readonly size: number;
  readonly flags: number;
  /** What it occupies of the volume, blocks of attributes and of its map included, in bytes. */
  readonly occupied: number;
  /** The block of its extended attributes, 0 for none. */
  readonly attributeBlock: number;
  /** The whole of it, from `place` on of the volume. */
  readonly bytes: ByteReader;
  readonly place: number;
  /** Extents, block pointers, a short link's target or the first of inline data: 60 bytes. */
  readonly map: ByteReader;
  /** What checksums of its own metadata start from; undefined where there are none. */
  readonly checksumSeed: number | undefined;
}

/**
 * An inode that a name leads to.
 * @throws FormatError malformed for a number that can't be a file's, a deleted file, a wrong checksum
 */
export async function readInode(volume: ExtVolume, number: number): Promise<Inode> {
  const { inodesPerGroup, inodeBytes, inodes, firstInode, blockBytes } = volume.superblock;
  if (number < 1 || number > inodes || (number < firstInode && number !== ROOT_INODE))
    throw new FormatError('malformed', WHAT, 0, `number ${number} is no file's: there are ${inodes}`);
  const table = await inodeTableOf(volume, Math.floor((number - 1) / inodesPerGroup));
  const place = table * blockBytes + ((number - 1) % inodesPerGroup) * inodeBytes;
  volume.budget.takeSteps(1, WHAT, place);
  const bytes = new ByteReader(await volume.metadata.read(place, inodeBytes));
  const checksumSeed = check(volume, number, place, bytes);
  const flags = bytes.u32(0x20, WHAT);
  const kind = kindOf(bytes.u16(0, WHAT));
  if (kind === undefined || bytes.u16(0x1a, WHAT) === 0)
    throw new FormatError('malformed', WHAT, place, `a name leads to ${number}, which is not in use`);
  return {
    number,
    kind,
    size: sizeOf(bytes, place),
    flags,
    // Block counts have no more than 48 bits.
    occupied:
      (bytes.u16(0x74, WHAT) * 2 ** 32 + bytes.u32(0x1c, WHAT)) * ((flags & FLAG_HUGE_FILE) === 0 ? 512 : blockBytes),
    attributeBlock: bytes.u16(0x76, WHAT) * 2 ** 32 + bytes.u32(0x68, WHAT),
    bytes,
    place,
    map: new ByteReader(bytes.slice(MAP_AT, MAP_BYTES, WHAT)),
    checksumSeed,
  };
}

function sizeOf(bytes: ByteReader, place: number): number {
  const size = bytes.u32(0x6c, WHAT) * 2 ** 32 + bytes.u32(0x4, WHAT);
  if (!Number.isSafeInteger(size)) throw new FormatError('malformed', WHAT, place, `a size of ${size} bytes`);
  return size;
}

/** By the type in the mode; undefined for none. */
function kindOf(mode: number): FileKind | undefined {
  switch (mode >> 12) {
    case 0x8:
      return 'file';
    case 0x4:
      return 'directory';
    case 0xa:
      return 'symlink';
    // FIFOs, devices, sockets
    case 0x1:
    case 0x2:
    case 0x6:
    case 0xc:
      return 'other';
    default:
      return undefined;
  }
}

/** Fields behind the first 128 bytes, as far as they are used: 0 where an inode has no more. */
export function extraBytes(inode: ByteReader): number {
  return inode.length > EXTRA_AT ? inode.u16(EXTRA_AT, WHAT) : 0;
}

function check(volume: ExtVolume, number: number, place: number, bytes: ByteReader): number | undefined {
  const volumeSeed = volume.superblock.checksumSeed;
  if (volumeSeed === undefined) return undefined;
  const seed = updateCrc32cBy32(updateCrc32cBy32(volumeSeed, number), bytes.u32(0x64, WHAT));
  const zeroed = Uint8Array.from(bytes.bytes);
  zeroed.fill(0, CHECKSUM_LOW_AT, CHECKSUM_LOW_AT + 2);
  const wide = extraBytes(bytes) >= CHECKSUM_HIGH_AT + 2 - EXTRA_AT;
  if (wide) zeroed.fill(0, CHECKSUM_HIGH_AT, CHECKSUM_HIGH_AT + 2);
  const wanted = bytes.u16(CHECKSUM_LOW_AT, WHAT) + (wide ? bytes.u16(CHECKSUM_HIGH_AT, WHAT) * 2 ** 16 : 0);
  const found = updateCrc32c(seed, zeroed);
  if ((wide ? found : found & 0xffff) !== wanted)
    throw new FormatError('malformed', WHAT, place, `the checksum of ${number} is wrong`);
  return seed;
}
