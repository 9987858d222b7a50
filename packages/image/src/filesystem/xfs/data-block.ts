import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { checkName, isDots, kindOf, type XfsEntry } from './directory-entry.ts';
import type { HeaderLayout, XfsVolume } from './volume.ts';

/** Blocks of entries: with their own index behind them (a directory of one block), or without. */
export const DATA_MAGIC = {
  /** `XDB3`, `XD2B`. */
  block: { crc: 0x58444233, plain: 0x58443242 },
  /** `XDD3`, `XD2D`. */
  data: { crc: 0x58444433, plain: 0x58443244 },
} as const;
export const DATA_LAYOUT: HeaderLayout = { crc: 4, place: 8, uuid: 24, owner: 40 };
const HEADER = { crc: 64, plain: 16 } as const;
/** Of a directory of one block: behind the index, how many entries that has. */
const BLOCK_TAIL = 8;
const INDEX_ENTRY = 8;
const FREE = 0xffff;
const ALIGNMENT = 8;

/** A checked block of a directory. */
export interface DataBlock {
  readonly reader: ByteReader;
  /** In bytes from the start of the volume, for errors. */
  readonly place: number;
  /** Where entries begin and end. */
  readonly from: number;
  readonly to: number;
}

/** Whether a block has one of the magics, and that it has its own index. */
export function dataBlock(volume: XfsVolume, bytes: Uint8Array, place: number, what: string): DataBlock {
  const reader = new ByteReader(bytes, 'big');
  const version = volume.superblock.crc ? 'crc' : 'plain';
  const magic = reader.u32(0, what);
  const from = HEADER[version];
  if (magic === DATA_MAGIC.data[version]) return { reader, place, from, to: reader.length };
  if (magic !== DATA_MAGIC.block[version]) throw new FormatError('malformed', what, place, 'no magic');
  const count = reader.u32(reader.length - BLOCK_TAIL, what);
  const to = reader.length - BLOCK_TAIL - count * INDEX_ENTRY;
  if (to < from) throw new FormatError('malformed', what, place, `an index of ${count} entries`);
  return { reader, place, from, to };
}

export function isBlockForm(volume: XfsVolume, { reader }: DataBlock, what: string): boolean {
  return reader.u32(0, what) === DATA_MAGIC.block[volume.superblock.crc ? 'crc' : 'plain'];
}

/**
 * All entries of a block.
 * @throws FormatError malformed, truncated, over-budget
 */
export function readDataBlock(volume: XfsVolume, block: DataBlock, what: string): XfsEntry[] {
  const { reader, place } = block;
  const entries: XfsEntry[] = [];
  for (let at = block.from; at < block.to; ) {
    volume.budget.takeSteps(1, what, place + at);
    if (reader.u16(at, what) === FREE) {
      const length = reader.u16(at + 2, what);
      if (length === 0 || length % ALIGNMENT !== 0)
        throw new FormatError('malformed', what, place + at, `free space of ${length} bytes`);
      at += length;
      continue;
    }
    const entry = readDataEntry(volume, block, at, what);
    if (!isDots(entry.rawName)) entries.push(entry);
    at += entrySize(volume, entry.rawName.length);
  }
  return entries;
}

/** The entry at `at` in a block. @throws FormatError malformed, truncated */
export function readDataEntry({ superblock }: XfsVolume, block: DataBlock, at: number, what: string): XfsEntry {
  const { reader, place } = block;
  const inode = reader.size64(at, what);
  const length = reader.u8(at + 8, what);
  const rawName = reader.slice(at + 9, length, what);
  checkName(rawName, what, place + at);
  const kind = superblock.ftype ? kindOf(reader.u8(at + 9 + length, what)) : undefined;
  const size = entrySize({ superblock }, length);
  // Every entry ends with where it begins.
  if (at + size > block.to || reader.u16(at + size - 2, what) !== at)
    throw new FormatError('malformed', what, place + at, 'an entry that ends elsewhere');
  return { rawName, inode, kind };
}

function entrySize({ superblock }: Pick<XfsVolume, 'superblock'>, nameLength: number): number {
  const plain = 9 + nameLength + (superblock.ftype ? 1 : 0) + 2;
  return Math.ceil(plain / ALIGNMENT) * ALIGNMENT;
}
