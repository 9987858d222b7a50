import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { ExtentLookup } from '../extent-source.ts';
import { BmapTree } from './bmap-tree.ts';
import { type BlockExtent, EXTENT_RECORD, readExtentRecords } from './extent-record.ts';
import type { Inode } from './inode.ts';
import { blockPlace, type XfsVolume } from './volume.ts';

/** Finds the extents that hold any of the file's blocks `from` to `to` (not included), in the file's order. */
export type BlockLookup = (from: number, to: number) => Promise<readonly BlockExtent[]>;

/**
 * The data fork of an inode whose content lies in blocks.
 * @throws FormatError malformed; unsupported for realtime files
 */
export function extentMap(volume: XfsVolume, inode: Inode): BlockLookup {
  const what = `XFS inode ${inode.number}`;
  if (inode.realtime) throw new FormatError('unsupported', what, 0, 'its content is in the realtime section');
  if (inode.format === 'btree') {
    const tree = new BmapTree(volume, inode);
    return (from, to) => tree.find(from, to);
  }
  if (inode.format !== 'extents') throw new FormatError('malformed', what, 0, `${inode.format} content, in no blocks`);
  if (inode.extentCount * EXTENT_RECORD > inode.fork.length)
    throw new FormatError('malformed', what, 0, `${inode.extentCount} extents in ${inode.fork.length} bytes`);
  volume.budget.takeSteps(inode.extentCount, what, 0);
  const extents = readExtentRecords(new ByteReader(inode.fork, 'big'), 0, inode.extentCount, 0, what);
  return async (from, to) => extents.filter((extent) => extent.at < to && extent.at + extent.count > from);
}

/** The same in bytes, without what was never written. */
export function writtenExtents(volume: XfsVolume, lookup: BlockLookup, what: string): ExtentLookup {
  const { blockSize } = volume.superblock;
  return async (offset, length) => {
    const extents = await lookup(Math.floor(offset / blockSize), Math.ceil((offset + length) / blockSize));
    return extents
      .filter((extent) => !extent.unwritten)
      .map(({ at, count, address }) => ({
        at: at * blockSize,
        length: count * blockSize,
        start: blockPlace(volume, address, count, what),
      }));
  };
}
