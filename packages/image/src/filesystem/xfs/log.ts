import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import { blockPlace, type XfsVolume } from './volume.ts';

/** The log counts these, and begins each with the number of the round in which it was written. */
const BASIC_BLOCK = 512;
/** A record's header begins with this instead, and has the round behind it. */
const RECORD_MAGIC = 0xfeedbabe;
const HEADER_FIELDS = { round: 4, version: 8, bytes: 12, operations: 40, size: 320 } as const;
/** Records larger than this have a header of several blocks, one for so many bytes. */
const BYTES_PER_HEADER_BLOCK = 2 ** 15;
/** Of the log record operation that an orderly unmount leaves as the last one. */
const OPERATION_FLAGS_AT = 9;
const UNMOUNT = 0x20;
/** A record has at most 256 KiB (XLOG_MAX_RECORD_BSIZE) and its header: this far behind the head the last one begins. */
const MOST_RECORD_BLOCKS = 512 + 8;
/** Read before more of that: the record of an unmount has two blocks unless the log is striped. */
const FEW_BLOCKS = 16;

/**
 * What of the log stands in the way of trusting the filesystem: undefined where it ends with an orderly unmount, or
 * was never written. The log is not replayed.
 */
export async function logNote(volume: XfsVolume): Promise<string | undefined> {
  const { start, blocks } = volume.superblock.log;
  if (start === 0) return 'its log lies on another device: whether it is clean is not known';
  try {
    const place = blockPlace(volume, start, blocks, 'XFS log');
    const count = (blocks * volume.superblock.blockSize) / BASIC_BLOCK;
    return (await endsWithUnmount(volume, place, count))
      ? undefined
      : 'not unmounted in order: its log holds changes that are not in their places, and is not replayed';
  } catch (error) {
    if (!(error instanceof FormatError) || (error.kind !== 'malformed' && error.kind !== 'truncated')) throw error;
    return `whether its log is clean can't be told: ${error.message}`;
  }
}

async function endsWithUnmount(volume: XfsVolume, place: number, count: number): Promise<boolean> {
  const roundOf = async (block: number): Promise<number> => {
    volume.budget.takeSteps(1, 'XFS log', place + block * BASIC_BLOCK);
    return round(new ByteReader(await volume.source.read(place + block * BASIC_BLOCK, 8), 'big'), 0);
  };
  const first = await roundOf(0);
  // All zeroes: nothing was ever written.
  if (first === 0) return true;
  // Blocks of this round come first, then those of the last one: between them is the head.
  let head = count;
  if ((await roundOf(count - 1)) !== first) {
    let written = 0;
    while (head - written > 1) {
      const middle = (written + head) >>> 1;
      if ((await roundOf(middle)) === first) written = middle;
      else head = middle;
    }
  }
  for (const most of [FEW_BLOCKS, MOST_RECORD_BLOCKS]) {
    const blocks = Math.min(most, head);
    const bytes = await volume.source.read(place + (head - blocks) * BASIC_BLOCK, blocks * BASIC_BLOCK);
    const reader = new ByteReader(bytes, 'big');
    for (let block = blocks - 1; block >= 0; block--) {
      if (reader.u32(block * BASIC_BLOCK, 'XFS log') === RECORD_MAGIC)
        return isUnmount(reader, block * BASIC_BLOCK, blocks * BASIC_BLOCK);
    }
  }
  return false;
}

function round(reader: ByteReader, at: number): number {
  const word = reader.u32(at, 'XFS log');
  return word === RECORD_MAGIC ? reader.u32(at + HEADER_FIELDS.round, 'XFS log') : word;
}

/** Whether the record at `at` is whole up to the head and tells of an unmount, and of nothing else. */
function isUnmount(reader: ByteReader, at: number, head: number): boolean {
  const what = 'XFS log record';
  const size = reader.u32(at + HEADER_FIELDS.size, what);
  const large = (reader.u32(at + HEADER_FIELDS.version, what) & 2) !== 0 && size > BYTES_PER_HEADER_BLOCK;
  const headerBlocks = large ? Math.ceil(size / BYTES_PER_HEADER_BLOCK) : 1;
  const operations = at + headerBlocks * BASIC_BLOCK;
  const bytes = reader.u32(at + HEADER_FIELDS.bytes, what);
  if (operations + Math.ceil(bytes / BASIC_BLOCK) * BASIC_BLOCK !== head) return false;
  if (reader.u32(at + HEADER_FIELDS.operations, what) !== 1) return false;
  return (reader.u8(operations + OPERATION_FLAGS_AT, what) & UNMOUNT) !== 0;
}
