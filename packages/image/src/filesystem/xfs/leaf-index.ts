import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { XfsVolume } from './volume.ts';

/** Blocks of the index carry this at offset 8: of a single leaf, of leaves below nodes, of nodes. */
const MAGIC = {
  crc: { leaf: 0x3df1, leafBelow: 0x3dff, node: 0x3ebe },
  plain: { leaf: 0xd2f1, leafBelow: 0xd2ff, node: 0xfebe },
} as const;
const HEADER = { crc: 64, plain: 16 } as const;
/** Of the count, and in a node of the level behind it. */
const COUNT_AT = { crc: 56, plain: 12 } as const;
const ENTRY = 8;
/** As Linux (XFS_DA_NODE_MAXDEPTH). */
const MOST_LEVELS = 5;
/** Entries lie at multiples of these bytes; 0 is an entry that was removed. */
const ADDRESS_UNIT = 8;

/** Reads and checks the index's block at a number of its own, counted in blocks of the filesystem. */
export type IndexReader = (block: number) => Promise<Uint8Array>;

/**
 * Where entries may lie whose names have a hash: offsets in the directory, in bytes.
 * @param root number of the index's first block
 * @throws FormatError malformed, cycle, over-budget
 */
export async function* addressesOf(
  volume: XfsVolume,
  read: IndexReader,
  root: number,
  hash: number,
  what: string,
): AsyncGenerator<number> {
  const version = volume.superblock.crc ? 'crc' : 'plain';
  let number = root;
  let level = MOST_LEVELS + 1;
  const seen = new Set<number>();
  for (;;) {
    if (seen.has(number)) throw new FormatError('cycle', what, 0, `block ${number} of its index comes a second time`);
    seen.add(number);
    volume.budget.takeSteps(1, what, 0);
    const reader = new ByteReader(await read(number), 'big');
    const magic = reader.u16(8, what);
    const count = reader.u16(COUNT_AT[version], what);
    const first = firstAtLeast(reader, HEADER[version], count, hash, what);
    if (magic === MAGIC[version].node) {
      const below = reader.u16(COUNT_AT[version] + 2, what);
      if (below === 0 || below >= level) throw new FormatError('malformed', what, 0, `level ${below} below ${level}`);
      level = below;
      if (first === count) return;
      number = reader.u32(HEADER[version] + first * ENTRY + 4, what);
      continue;
    }
    if (magic !== MAGIC[version].leaf && magic !== MAGIC[version].leafBelow)
      throw new FormatError('malformed', what, 0, `no magic in block ${number} of its index`);
    for (let index = first; index < count; index++) {
      const at = HEADER[version] + index * ENTRY;
      if (reader.u32(at, what) !== hash) return;
      volume.budget.takeSteps(1, what, 0);
      const address = reader.u32(at + 4, what);
      if (address !== 0) yield address * ADDRESS_UNIT;
    }
    // Entries of one hash may go on in the next leaf.
    number = reader.u32(0, what);
    level = 1;
    if (number === 0 || magic === MAGIC[version].leaf) return;
  }
}

/** The first of `count` entries whose hash is not less, `count` where there is none. */
function firstAtLeast(reader: ByteReader, header: number, count: number, hash: number, what: string): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reader.u32(header + middle * ENTRY, what) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
