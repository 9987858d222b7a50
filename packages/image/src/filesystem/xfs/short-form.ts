import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { checkName, kindOf, type XfsEntry } from './directory-entry.ts';
import type { Inode } from './inode.ts';
import type { XfsVolume } from './volume.ts';

/** Before each name: its length, and an offset for who reads entry by entry. */
const BEFORE_NAME = 3;

/**
 * The entries of a directory that fits its inode. Inode numbers have four bytes, or eight where one needs them.
 * @throws FormatError malformed, truncated, over-budget
 */
export function readShortForm({ superblock, budget }: XfsVolume, inode: Inode): XfsEntry[] {
  const what = `XFS directory ${inode.number}`;
  if (inode.size > inode.fork.length)
    throw new FormatError('malformed', what, 0, `${inode.size} bytes in an inode's ${inode.fork.length}`);
  const reader = new ByteReader(inode.fork.subarray(0, inode.size), 'big');
  const wide = reader.u8(1, what) !== 0;
  const count = wide ? reader.u8(1, what) : reader.u8(0, what);
  const numberSize = wide ? 8 : 4;
  budget.takeSteps(count, what, 0);
  const entries: XfsEntry[] = [];
  // Behind the counts, the parent's number.
  let at = 2 + numberSize;
  for (let index = 0; index < count; index++) {
    const length = reader.u8(at, what);
    const rawName = reader.slice(at + BEFORE_NAME, length, what);
    checkName(rawName, what, at);
    at += BEFORE_NAME + length;
    const kind = superblock.ftype ? kindOf(reader.u8(at++, what)) : undefined;
    entries.push({ rawName, inode: wide ? reader.size64(at, what) : reader.u32(at, what), kind });
    at += numberSize;
  }
  return entries;
}
