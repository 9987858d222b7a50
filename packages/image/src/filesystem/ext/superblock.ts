import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { updateCrc32c } from '../crc32c.ts';
import {
  COMPAT_SPARSE_SUPER2,
  INCOMPAT_64BIT,
  INCOMPAT_CASEFOLD,
  INCOMPAT_CSUM_SEED,
  INCOMPAT_EA_INODE,
  INCOMPAT_FILETYPE,
  INCOMPAT_JOURNAL_DEV,
  INCOMPAT_META_BG,
  INCOMPAT_RECOVER,
  kindOf,
  RO_COMPAT_BIGALLOC,
  RO_COMPAT_GDT_CSUM,
  RO_COMPAT_METADATA_CSUM,
  RO_COMPAT_SPARSE_SUPER,
  unknownFeatures,
} from './features.ts';

/** Linux, Documentation/filesystems/ext4: the superblock lies 1024 bytes into the volume, whatever its blocks are. */
export const SUPERBLOCK_AT = 1024;
export const SUPERBLOCK_BYTES = 1024;
export const EXT_MAGIC = 0xef53;
export const EXT_MAGIC_AT = 0x38;

/** 64 KiB: no system has larger pages. */
const BLOCK_SHIFT_LIMIT = 6;
/** As Linux: of clusters. */
const CLUSTER_SHIFT_LIMIT = 20;
const OLD_INODE_BYTES = 128;
const OLD_DESCRIPTOR_BYTES = 32;
const OLD_FIRST_INODE = 11;
const STATE_CLEAN = 0x1;
const STATE_ERRORS = 0x2;
const CHECKSUM_CRC32C = 1;

const WHAT = 'ext superblock';

/** What a volume's superblock says, checked as far as it says it of itself. */
export interface Superblock {
  readonly kind: 'ext2' | 'ext3' | 'ext4';
  readonly uuid: string;
  readonly label: string;
  readonly notes: readonly string[];
  /** In bytes, a power of two from 1024 to 65536. */
  readonly blockBytes: number;
  /** What is allocated at once; a block but for bigalloc. In bytes. */
  readonly clusterBytes: number;
  /** Blocks from the first data block to here hold the filesystem. */
  readonly blocks: number;
  readonly firstBlock: number;
  readonly blocksPerGroup: number;
  readonly inodes: number;
  readonly inodesPerGroup: number;
  readonly inodeBytes: number;
  /** Below it only the root is a file that names lead to. */
  readonly firstInode: number;
  readonly descriptorBytes: number;
  /** Of blocks of descriptors: from this one on they lie in their own groups; undefined where all are together. */
  readonly firstMetaGroup: number | undefined;
  /** Which groups begin with a copy of the superblock. */
  readonly backups: 'all' | 'sparse' | readonly number[];
  /** How group descriptors are checked. */
  readonly descriptorChecksum: 'none' | 'crc16' | 'crc32c';
  /** What checksums of metadata start from; undefined where there are none. */
  readonly checksumSeed: number | undefined;
  readonly uuidBytes: Uint8Array;
  readonly hasFileTypes: boolean;
  /** Large extended attributes may have inodes of their own, which a link's block count doesn't tell. */
  readonly hasAttributeInodes: boolean;
}

/** @throws FormatError malformed; truncated; unsupported, with the features' names */
export async function readSuperblock(source: ByteSource): Promise<Superblock> {
  const bytes = new ByteReader(await source.read(SUPERBLOCK_AT, SUPERBLOCK_BYTES));
  const u16 = (at: number): number => bytes.u16(at, WHAT);
  const u32 = (at: number): number => bytes.u32(at, WHAT);
  if (u16(EXT_MAGIC_AT) !== EXT_MAGIC) throw malformed('no ext filesystem');
  const dynamic = u32(0x4c) > 0;
  const [compat, incompat, roCompat] = dynamic ? [u32(0x5c), u32(0x60), u32(0x64)] : [0, 0, 0];
  const unknown = unknownFeatures(incompat);
  if ((incompat & INCOMPAT_JOURNAL_DEV) !== 0) throw unsupported('a journal on its own, of a filesystem elsewhere');
  if (unknown.length > 0) throw unsupported(`the feature ${unknown.join(', ')} of ext4 is not read here`);
  const uuidBytes = bytes.slice(0x68, 16, WHAT);
  const hasChecksums = (roCompat & RO_COMPAT_METADATA_CSUM) !== 0;
  if (hasChecksums) check(bytes);

  const blockShift = u32(0x18);
  if (blockShift > BLOCK_SHIFT_LIMIT) throw malformed(`blocks of 2^${blockShift + 10} bytes`);
  const blockBytes = 1024 << blockShift;
  const clusterShift = (roCompat & RO_COMPAT_BIGALLOC) === 0 ? blockShift : u32(0x1c);
  if (clusterShift < blockShift || clusterShift > CLUSTER_SHIFT_LIMIT)
    throw malformed(`clusters of 2^${clusterShift + 10} bytes`);
  const wide = (incompat & INCOMPAT_64BIT) !== 0;
  const blocks = u32(0x4) + (wide ? u32(0x150) * 2 ** 32 : 0);
  const firstBlock = u32(0x14);
  const blocksPerGroup = u32(0x20);
  const inodes = u32(0x0);
  const inodesPerGroup = u32(0x28);
  const inodeBytes = dynamic ? u16(0x58) : OLD_INODE_BYTES;
  const descriptorBytes = wide ? u16(0xfe) : OLD_DESCRIPTOR_BYTES;
  if (!Number.isSafeInteger(blocks * blockBytes)) throw malformed(`${blocks} blocks`);
  if (firstBlock > 1 || blocks <= firstBlock) throw malformed(`${blocks} blocks, the first is ${firstBlock}`);
  if (blocksPerGroup === 0 || inodesPerGroup === 0) throw malformed('groups of no blocks or inodes');
  if (!isPowerOfTwo(inodeBytes) || inodeBytes < OLD_INODE_BYTES || inodeBytes > blockBytes)
    throw malformed(`inodes of ${inodeBytes} bytes`);
  if (!isPowerOfTwo(descriptorBytes) || descriptorBytes < (wide ? 64 : 32) || descriptorBytes > blockBytes)
    throw malformed(`group descriptors of ${descriptorBytes} bytes`);
  const groups = Math.ceil((blocks - firstBlock) / blocksPerGroup);
  if (inodes > groups * inodesPerGroup) throw malformed(`${inodes} inodes in ${groups} groups`);

  return {
    kind: kindOf(compat, incompat, roCompat),
    uuid: uuidOf(uuidBytes),
    label: bytes.cString(0x78, 16, WHAT),
    notes: notesOf(u16(0x3a), incompat, blocks * blockBytes, source.size),
    blockBytes,
    clusterBytes: 1024 << clusterShift,
    blocks,
    firstBlock,
    blocksPerGroup,
    inodes,
    inodesPerGroup,
    inodeBytes,
    firstInode: dynamic ? u32(0x54) : OLD_FIRST_INODE,
    descriptorBytes,
    firstMetaGroup: (incompat & INCOMPAT_META_BG) === 0 ? undefined : u32(0x104),
    backups:
      (compat & COMPAT_SPARSE_SUPER2) !== 0
        ? [0, u32(0x24c), u32(0x250)]
        : (roCompat & RO_COMPAT_SPARSE_SUPER) !== 0
          ? 'sparse'
          : 'all',
    descriptorChecksum: hasChecksums ? 'crc32c' : (roCompat & RO_COMPAT_GDT_CSUM) === 0 ? 'none' : 'crc16',
    checksumSeed: !hasChecksums
      ? undefined
      : (incompat & INCOMPAT_CSUM_SEED) === 0
        ? updateCrc32c(0xffff_ffff, uuidBytes)
        : u32(0x270),
    uuidBytes,
    hasFileTypes: (incompat & INCOMPAT_FILETYPE) !== 0,
    hasAttributeInodes: (incompat & INCOMPAT_EA_INODE) !== 0,
  };
}

function check(bytes: ByteReader): void {
  if (bytes.u8(0x175, WHAT) !== CHECKSUM_CRC32C) throw unsupported('checksums of another kind than crc32c');
  if (updateCrc32c(0xffff_ffff, bytes.slice(0, 0x3fc, WHAT)) !== bytes.u32(0x3fc, WHAT))
    throw malformed('its checksum is wrong');
}

function notesOf(state: number, incompat: number, bytes: number, size: number): readonly string[] {
  const notes: string[] = [];
  if ((incompat & INCOMPAT_RECOVER) !== 0)
    notes.push('the journal holds changes that are not carried out: what is read may be older than what a start would');
  else if ((state & STATE_CLEAN) === 0) notes.push('not unmounted in order: a write may be unfinished');
  if ((state & STATE_ERRORS) !== 0) notes.push('marked as having errors');
  if ((incompat & INCOMPAT_CASEFOLD) !== 0) notes.push('names are compared with case, in folders that ignore it too');
  if (bytes > size) notes.push(`the filesystem has ${bytes} bytes, what it lies in ${size}: parts of it are missing`);
  return notes;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  if (/^0*$/.test(hex)) return '';
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function malformed(detail: string): FormatError {
  return new FormatError('malformed', WHAT, SUPERBLOCK_AT, detail);
}

function unsupported(detail: string): FormatError {
  return new FormatError('unsupported', WHAT, SUPERBLOCK_AT, detail);
}
