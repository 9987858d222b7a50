import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { crc32cAround } from '../crc32c.ts';
import { FEATURES2_FTYPE, INCOMPATIBLE, unknownFeatures, VERSION } from './features.ts';

/** The least that holds all fields, and the size of the smallest sector. */
export const SUPERBLOCK_BYTES = 512;
/** `XFSB`. */
const MAGIC = 0x58465342;
const CRC_AT = 224;
/** Powers of two that the kernel takes (xfs_validate_sb_common). */
const BLOCK_LOG = { least: 9, most: 16 } as const;
const SECTOR_LOG = { least: 9, most: 15 } as const;
const INODE_LOG = { least: 8, most: 11 } as const;
/** A directory's block may span several of the filesystem's, and is not larger than this. */
const MOST_DIRECTORY_LOG = 16;

/** What the superblock says, in the terms of "XFS Algorithms & Data Structures", 3rd edition. Sizes are in bytes. */
export interface Superblock {
  /** With checksums and self-describing blocks: version 5. Without: version 4. */
  readonly crc: boolean;
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly inodeSize: number;
  /** Of a directory's blocks: a multiple of the filesystem's. */
  readonly directoryBlockSize: number;
  /** Of the data section, in blocks. */
  readonly blocks: number;
  /** Allocation groups: all have `groupBlocks`, but the last may have fewer. */
  readonly groups: number;
  readonly groupBlocks: number;
  /** A block's address is its group's number, shifted by this, and its number in the group. */
  readonly groupBlockLog: number;
  /** An inode's number is its block's address, shifted by this, and its number in the block. */
  readonly inodesPerBlockLog: number;
  readonly rootInode: number;
  /** Of the log. 0 blocks: it lies on another device. `start` is a block's address. */
  readonly log: { readonly start: number; readonly blocks: number };
  /** As people know it. */
  readonly uuid: string;
  /** As its blocks carry it: it stays when people give the filesystem a new one. */
  readonly blockUuid: Uint8Array;
  readonly label: string;
  /** Directory entries tell the kind of file. */
  readonly ftype: boolean;
  /** Names are compared without case, that of ASCII. */
  readonly asciiCaseless: boolean;
  readonly needsRepair: boolean;
}

/** Whether the first bytes are an XFS superblock's. */
export function looksLikeXfs(sector: Uint8Array): boolean {
  const reader = new ByteReader(sector, 'big');
  return reader.has(0, 4) && reader.u32(0, 'XFS magic') === MAGIC;
}

/** The size of the sector that the checksum covers, in bytes. @throws FormatError malformed, truncated */
export function sectorSizeOf(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes, 'big');
  if (!looksLikeXfs(bytes)) throw malformed(0, 'no magic');
  return powerOfTwo(reader, { size: 102, log: 121, bytes: 2 }, SECTOR_LOG, 'sector size');
}

/**
 * @param bytes the first sector, whole
 * @throws FormatError malformed; truncated; unsupported for a version or feature that isn't known, by name
 */
export function readSuperblock(bytes: Uint8Array): Superblock {
  const reader = new ByteReader(bytes, 'big');
  const sectorSize = sectorSizeOf(bytes);
  const versionNumber = reader.u16(100, 'version');
  const version = versionNumber & VERSION.mask;
  if (version !== 4 && version !== 5)
    throw new FormatError('unsupported', 'XFS superblock', 100, `version ${version} is not implemented`);
  const crc = version === 5;
  if (crc && reader.u32(CRC_AT, 'checksum') !== swapped(crc32cAround(reader.slice(0, sectorSize, 'sector'), CRC_AT)))
    throw malformed(CRC_AT, 'its checksum is wrong');
  if ((versionNumber & VERSION.directory2) === 0 && !crc)
    throw new FormatError('unsupported', 'XFS superblock', 100, 'directories of version 1 are not implemented');

  const incompatible = crc ? reader.u32(216, 'incompatible features') : 0;
  const unknown = unknownFeatures(incompatible);
  if (unknown.length > 0)
    throw new FormatError(
      'unsupported',
      'XFS superblock',
      216,
      `features that are not known here: ${unknown.join(', ')}`,
    );
  if (reader.u8(126, 'in progress') !== 0) throw malformed(126, 'mkfs or growfs did not finish');

  const blockSize = powerOfTwo(reader, { size: 4, log: 120, bytes: 4 }, BLOCK_LOG, 'block size');
  const inodeSize = powerOfTwo(reader, { size: 104, log: 122, bytes: 2 }, INODE_LOG, 'inode size');
  const directoryLog = reader.u8(120, 'block size') + reader.u8(192, 'directory block size');
  if (directoryLog > MOST_DIRECTORY_LOG) throw malformed(192, `directory blocks of 2^${directoryLog} bytes`);
  const inodesPerBlockLog = reader.u8(123, 'inodes per block');
  if (inodeSize > blockSize || inodeSize * 2 ** inodesPerBlockLog !== blockSize)
    throw malformed(123, `2^${inodesPerBlockLog} inodes of ${inodeSize} bytes in a block of ${blockSize}`);

  const hasMetaUuid = (incompatible & INCOMPATIBLE.metaUuid) !== 0;
  return {
    crc,
    blockSize,
    sectorSize,
    inodeSize,
    directoryBlockSize: 2 ** directoryLog,
    ...readGroups(reader),
    inodesPerBlockLog,
    rootInode: reader.size64(56, 'root inode'),
    log: { start: reader.size64(48, 'log start'), blocks: reader.u32(96, 'log blocks') },
    uuid: guidText(reader.slice(32, 16, 'UUID')),
    blockUuid: reader.slice(hasMetaUuid ? 248 : 32, 16, 'UUID'),
    label: reader.cString(108, 12, 'label'),
    ftype: crc
      ? (incompatible & INCOMPATIBLE.ftype) !== 0
      : (versionNumber & VERSION.more) !== 0 && (reader.u32(200, 'features') & FEATURES2_FTYPE) !== 0,
    asciiCaseless: (versionNumber & VERSION.asciiCaseless) !== 0,
    needsRepair: (incompatible & INCOMPATIBLE.needsRepair) !== 0,
  };
}

function readGroups(reader: ByteReader): Pick<Superblock, 'blocks' | 'groups' | 'groupBlocks' | 'groupBlockLog'> {
  const blocks = reader.size64(8, 'data blocks');
  const groupBlocks = reader.u32(84, 'blocks per group');
  const groups = reader.u32(88, 'allocation groups');
  const groupBlockLog = reader.u8(124, 'blocks per group');
  if (
    groupBlocks === 0 ||
    groupBlockLog > 31 ||
    groupBlocks > 2 ** groupBlockLog ||
    groupBlocks <= 2 ** (groupBlockLog - 1)
  )
    throw malformed(84, `${groupBlocks} blocks a group, addressed by ${groupBlockLog} bits`);
  if (groups === 0 || blocks > groups * groupBlocks || blocks <= (groups - 1) * groupBlocks)
    throw malformed(88, `${groups} groups of ${groupBlocks} blocks, ${blocks} in all`);
  return { blocks, groups, groupBlocks, groupBlockLog };
}

/** A size that is told twice, as a number and as a power of two. */
function powerOfTwo(
  reader: ByteReader,
  at: { readonly size: number; readonly log: number; readonly bytes: 2 | 4 },
  range: { readonly least: number; readonly most: number },
  what: string,
): number {
  const size = at.bytes === 2 ? reader.u16(at.size, what) : reader.u32(at.size, what);
  const log = reader.u8(at.log, what);
  if (log < range.least || log > range.most || size !== 2 ** log)
    throw malformed(at.size, `${what} ${size}, that is 2^${log}`);
  return size;
}

/** Checksums alone are stored with the least byte first. */
function swapped(value: number): number {
  return Buffer.from(Uint32Array.of(value).buffer).readUInt32BE();
}

function guidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function malformed(offset: number, detail: string): FormatError {
  return new FormatError('malformed', 'XFS superblock', offset, detail);
}
