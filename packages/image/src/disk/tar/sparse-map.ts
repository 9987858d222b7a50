import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { checkRead } from '../../source/most-at-once.ts';
import { TAR_BLOCK, tarNumber } from './header.ts';
import { paxNumber } from './pax-records.ts';

/** A file whose zeroes were left out: where its pieces belong, in the order in which they are stored. */
export interface SparseMap {
  /** Of the file with its zeroes, in bytes. */
  readonly realSize: number;
  /** Offset in the file and length, in turns, in bytes; ascending, without overlaps. */
  readonly pairs: readonly number[];
  /** Where in the member's content the first piece lies. */
  readonly dataStart: number;
}

/** A tree of pieces larger than this would be a disk of 4 KiB islands, 4 GiB of them. */
const MOST_PIECES = 2 ** 20;
/** Of a header of GNU's old form (GNU tar's manual, "Storing Sparse Files"): its map goes on in blocks of their own. */
const OLD = { map: 386, entries: 4, extended: 482, realSize: 483, blockEntries: 21, blockExtended: 504 } as const;

/**
 * The map of a member of type `S`, which begins in its header and may go on in the blocks behind it.
 * @returns with `dataStart`: the size of those blocks, which the header's size doesn't count
 */
export async function readOldSparseMap(
  header: Uint8Array,
  at: number,
  archive: ByteSource,
  budget: Budget,
): Promise<SparseMap> {
  const pairs: number[] = [];
  const realSize = tarNumber(header, OLD.realSize, 12, at);
  takeEntries(header, OLD.map, OLD.entries, at, pairs);
  let more = header[OLD.extended] !== 0;
  let dataStart = 0;
  while (more) {
    const offset = at + TAR_BLOCK + dataStart;
    budget.takeSteps(OLD.blockEntries, 'tar sparse map', offset);
    checkPieces(pairs, offset);
    const block = await archive.read(offset, TAR_BLOCK);
    takeEntries(block, 0, OLD.blockEntries, offset, pairs);
    more = block[OLD.blockExtended] !== 0;
    dataStart += TAR_BLOCK;
  }
  return { realSize, pairs, dataStart };
}

function takeEntries(block: Uint8Array, map: number, count: number, at: number, pairs: number[]): void {
  for (let i = 0; i < count; i++) {
    const entry = map + i * 24;
    // An entry without an offset is the end of the map.
    if (block[entry] === 0) return;
    pairs.push(tarNumber(block, entry, 12, at), tarNumber(block, entry + 12, 12, at));
  }
}

/**
 * The map of pax's form 1.0: decimal lines at the start of the member's content, padded to a block.
 * @param content of the member, as stored
 */
export async function readPaxSparseMap(content: ByteSource, realSize: number, budget: Budget): Promise<SparseMap> {
  const lines = lineReader(content, budget);
  const count = await lines.next();
  if (count > MOST_PIECES) throw tooMany(0);
  const pairs: number[] = [];
  for (let i = 0; i < count * 2; i++) pairs.push(await lines.next());
  return { realSize, pairs, dataStart: Math.ceil(lines.position() / TAR_BLOCK) * TAR_BLOCK };
}

/** Numbers, one a line. */
function lineReader(content: ByteSource, budget: Budget): { next(): Promise<number>; position(): number } {
  let block = new Uint8Array(0);
  let start = 0;
  let at = 0;
  let digits = '';
  return {
    position: () => start + at,
    next: async () => {
      budget.takeSteps(1, 'tar sparse map', start + at);
      digits = '';
      for (;;) {
        if (at === block.length) {
          start += block.length;
          at = 0;
          block = new Uint8Array(await content.read(start, TAR_BLOCK));
        }
        const byte = block[at++] ?? 0;
        if (byte === 0x0a) return paxNumber(digits, start + at);
        if (digits.length === 16) throw new FormatError('malformed', 'tar sparse map', start + at, 'no number');
        digits += String.fromCharCode(byte);
      }
    },
  };
}

/** The map of pax's form 0.1: all numbers in one record. */
export function parsePaxMapRecord(record: string, realSize: number, at: number): SparseMap {
  const words = record === '' ? [] : record.split(',');
  return { realSize, pairs: words.map((word) => paxNumber(word, at)), dataStart: 0 };
}

/**
 * A sparse member as the file that it was.
 * @param content as stored, without the map
 * @throws FormatError malformed where pieces overlap, are out of order, or don't fit the file or what is stored
 */
export function sparseSource(name: string, content: ByteSource, map: SparseMap): ByteSource {
  const { realSize, pairs } = map;
  checkPieces(pairs, 0);
  const count = Math.floor(pairs.length / 2);
  const starts = new Float64Array(count);
  const stored = new Float64Array(count + 1);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const start = pairs[i * 2] ?? 0;
    const length = pairs[i * 2 + 1] ?? 0;
    if (start < end || start + length > realSize)
      throw new FormatError('malformed', 'tar sparse map', 0, `piece ${i} overlaps another one or the file's end`);
    end = start + length;
    starts[i] = start;
    stored[i + 1] = (stored[i] ?? 0) + length;
  }
  if (pairs.length % 2 !== 0 || (stored[count] ?? 0) > content.size)
    throw new FormatError('malformed', 'tar sparse map', 0, 'its pieces are more than what is stored');

  return {
    name,
    size: realSize,
    read: async (offset, length) => {
      checkRead(name, realSize, offset, length);
      const out = Buffer.alloc(length);
      for (let i = lastAtOrBefore(starts, offset); i < count; i++) {
        const start = starts[i] ?? 0;
        if (start >= offset + length) break;
        const from = Math.max(start, offset);
        const to = Math.min(start + (stored[i + 1] ?? 0) - (stored[i] ?? 0), offset + length);
        if (from < to) out.set(await content.read((stored[i] ?? 0) + from - start, to - from), from - offset);
      }
      return out;
    },
  };
}

/** The last piece that begins at or before `offset`; the first if none does. */
function lastAtOrBefore(starts: Float64Array, offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function checkPieces(pairs: readonly number[], at: number): void {
  if (pairs.length > MOST_PIECES * 2) throw tooMany(at);
}

function tooMany(at: number): FormatError {
  return new FormatError('over-budget', 'tar sparse map', at, `more than ${MOST_PIECES} pieces`);
}
