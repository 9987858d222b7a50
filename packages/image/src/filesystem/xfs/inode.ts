import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { crc32cAround } from '../crc32c.ts';
import type { FileKind } from '../filesystem.ts';
import { blockPlace, type XfsVolume } from './volume.ts';

/** `IN`. */
const MAGIC = 0x494e;
/** Where the fork begins: after the core of version 3, or of versions 1 and 2. */
const CORE = { crc: 176, plain: 100 } as const;
const CRC_AT = 100;
const TYPE_MASK = 0o170000;
const TYPES: ReadonlyMap<number, FileKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);
const FORMATS = ['device', 'local', 'extents', 'btree'] as const;
const FLAG_REALTIME = 1;
/** Of `di_flags2`, which is 64 bits: this is of the lower half. */
const FLAG_LARGE_EXTENT_COUNTS = 0x10;

export interface Inode {
  readonly number: number;
  readonly kind: FileKind;
  /** In bytes. */
  readonly size: number;
  /** How the data fork holds the content: itself, a list of extents, or the root of a B+tree of them. */
  readonly format: (typeof FORMATS)[number];
  /** Of the data fork; for `extents` as many records stand in it. */
  readonly extentCount: number;
  /** The data fork. */
  readonly fork: Uint8Array;
  /** Its blocks are those of the realtime section. */
  readonly realtime: boolean;
}

/**
 * Reads and checks an inode. Its number says where it lies.
 * @throws FormatError malformed, also for a free inode; truncated
 */
export async function readInode(volume: XfsVolume, number: number): Promise<Inode> {
  const { superblock, source, budget } = volume;
  const what = `XFS inode ${number}`;
  // As for blocks: its checksum is what it costs.
  budget.takeSteps(Math.ceil(superblock.inodeSize / 512), what, 0);
  const inBlock = number % 2 ** superblock.inodesPerBlockLog;
  const block = Math.floor(number / 2 ** superblock.inodesPerBlockLog);
  const place = blockPlace(volume, block, 1, what) + inBlock * superblock.inodeSize;
  const bytes = await source.read(place, superblock.inodeSize);
  const reader = new ByteReader(bytes, 'big');
  const malformed = (detail: string): FormatError => new FormatError('malformed', what, place, detail);

  if (reader.u16(0, what) !== MAGIC) throw malformed('no magic');
  const version = reader.u8(4, what);
  if (superblock.crc ? version !== 3 : version !== 1 && version !== 2) throw malformed(`version ${version}`);
  if (superblock.crc) {
    if (Buffer.from(bytes).readUInt32LE(CRC_AT) !== crc32cAround(bytes, CRC_AT))
      throw malformed('its checksum is wrong');
    if (reader.size64(152, what) !== number) throw malformed('its number is wrong');
    if (Buffer.compare(reader.slice(160, 16, what), superblock.blockUuid) !== 0)
      throw malformed('it is of another filesystem');
  }
  const mode = reader.u16(2, what);
  if (mode === 0) throw malformed('it is free');
  const format = FORMATS[reader.u8(5, what)];
  if (format === undefined) throw malformed(`data fork format ${reader.u8(5, what)}`);

  const core = superblock.crc ? CORE.crc : CORE.plain;
  const end = reader.u8(82, what) === 0 ? superblock.inodeSize : core + reader.u8(82, what) * 8;
  if (end > superblock.inodeSize) throw malformed('its attribute fork begins behind its end');
  const large = superblock.crc && (reader.u32(124, what) & FLAG_LARGE_EXTENT_COUNTS) !== 0;
  return {
    number,
    kind: TYPES.get(mode & TYPE_MASK) ?? 'other',
    size: reader.size64(56, what),
    format,
    extentCount: large ? reader.size64(24, what) : reader.u32(76, what),
    fork: reader.slice(core, end - core, what),
    realtime: (reader.u16(90, what) & FLAG_REALTIME) !== 0,
  };
}
