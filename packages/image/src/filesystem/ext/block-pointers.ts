import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { Extent, ExtentLookup } from '../extent-source.ts';
import { checkBlocks, type ExtVolume, readBlock } from './ext-volume.ts';
import type { Inode } from './inode.ts';

/** Of the 15 pointers in an inode the last three lead to blocks of pointers, of blocks of them, and of those. */
const DIRECT_POINTERS = 12;
const LEVELS = 3;
const POINTER_BYTES = 4;

const WHAT = 'ext block pointers';

/** Where the blocks of a file lie that has no extents: all files of ext2 and ext3. */
export function blockPointers(volume: ExtVolume, inode: Inode): ExtentLookup {
  const { blockBytes } = volume.superblock;
  const perBlock = blockBytes / POINTER_BYTES;

  function take(pointer: number, at: number, found: Extent[]): void {
    if (pointer === 0) return;
    checkBlocks(volume, pointer, 1, WHAT);
    const start = pointer * blockBytes;
    const last = found.at(-1);
    if (last !== undefined && last.at + last.length === at * blockBytes && last.start + last.length === start)
      found[found.length - 1] = { ...last, length: last.length + blockBytes };
    else found.push({ at: at * blockBytes, length: blockBytes, start });
  }

  /**
   * Collects the blocks of [from, end) that a block of pointers leads to.
   * @param level how many blocks of pointers there are from it to the file's, itself counted
   * @param first of the file's blocks below it
   */
  async function collect(
    block: number,
    level: number,
    first: number,
    from: number,
    end: number,
    found: Extent[],
  ): Promise<void> {
    if (block === 0) return;
    const pointers = new ByteReader(await readBlock(volume, block, WHAT));
    const span = perBlock ** (level - 1);
    const last = Math.min(perBlock, Math.ceil((end - first) / span));
    for (let index = Math.max(0, Math.floor((from - first) / span)); index < last; index++) {
      volume.budget.takeSteps(1, WHAT, block * blockBytes);
      const pointer = pointers.u32(index * POINTER_BYTES, WHAT);
      const start = first + index * span;
      if (level === 1) take(pointer, start, found);
      else await collect(pointer, level - 1, start, from, end, found);
    }
  }

  return async (offset, length) => {
    const from = Math.floor(offset / blockBytes);
    const end = Math.ceil((offset + length) / blockBytes);
    const found: Extent[] = [];
    let first = 0;
    for (let index = 0; index < DIRECT_POINTERS + LEVELS && first < end; index++) {
      const level = Math.max(0, index - DIRECT_POINTERS + 1);
      const next = first + perBlock ** level;
      if (next > from) {
        const pointer = inode.map.u32(index * POINTER_BYTES, WHAT);
        if (level === 0) take(pointer, first, found);
        else await collect(pointer, level, first, from, end, found);
      }
      first = next;
    }
    if (end > first)
      throw new FormatError('malformed', WHAT, inode.place, `${inode.size} bytes are more than its pointers reach`);
    return found;
  };
}
