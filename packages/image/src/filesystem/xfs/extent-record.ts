import type { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';

/** Of an extent record, in bytes. */
export const EXTENT_RECORD = 16;

/** A run of a file's blocks. */
export interface BlockExtent {
  /** Number of its first block in the file. */
  readonly at: number;
  /** Of blocks, above zero. */
  readonly count: number;
  /** Address of its first block: group and number in the group, packed. */
  readonly address: number;
  /** Allocated and never written: it reads as zeroes. */
  readonly unwritten: boolean;
}

/**
 * Unpacks 128 bits, the greatest first: 1 that says unwritten, 54 of the offset in the file, 52 of the address, 21 of
 * the count.
 * @throws FormatError malformed for a count of zero and an offset beyond 2^53
 */
export function readExtentRecord(reader: ByteReader, offset: number, what: string): BlockExtent {
  const first = reader.u32(offset, what);
  const second = reader.u32(offset + 4, what);
  const third = reader.u32(offset + 8, what);
  const fourth = reader.u32(offset + 12, what);
  const at = (first & 0x7fffffff) * 2 ** 23 + (second >>> 9);
  const count = fourth & 0x1fffff;
  if (count === 0 || !Number.isSafeInteger(at + count))
    throw new FormatError('malformed', what, offset, `${count} blocks from block ${at} on`);
  return {
    at,
    count,
    address: (second & 0x1ff) * 2 ** 43 + third * 2 ** 11 + (fourth >>> 21),
    unwritten: first >>> 31 === 1,
  };
}

/**
 * Reads records that must be in the file's order and not overlap.
 * @param after the block of the file from which on they may begin
 * @throws FormatError malformed, truncated
 */
export function readExtentRecords(
  reader: ByteReader,
  offset: number,
  count: number,
  after: number,
  what: string,
): BlockExtent[] {
  const extents: BlockExtent[] = [];
  let end = after;
  for (let index = 0; index < count; index++) {
    const place = offset + index * EXTENT_RECORD;
    const extent = readExtentRecord(reader, place, what);
    if (extent.at < end) throw new FormatError('malformed', what, place, `block ${extent.at} comes after ${end - 1}`);
    end = extent.at + extent.count;
    extents.push(extent);
  }
  return extents;
}
