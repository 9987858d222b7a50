import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import type { ExtentLookup } from '../extent-source.ts';
import { ENTRY_SIZE } from './boot-sector.ts';
import { LongName } from './long-name.ts';
import { ATTRIBUTE, readShortEntry, type ShortEntry } from './short-entry.ts';

/** "Directory structure": 65,536 entries of 32 bytes. A chain that goes on is no directory. */
export const MOST_DIRECTORY_BYTES = 65536 * ENTRY_SIZE;
/** What is read at once: most directories are shorter, and a search may end early. */
const PIECE = 16384;
const DELETED = 0xe5;

/** An entry of a directory with all its names. */
export interface FatEntry extends ShortEntry {
  readonly longName: string | undefined;
  /** Where its short entry lies, in bytes from the start of the volume. */
  readonly place: number;
}

/**
 * The entries of a directory, labels among them; deleted ones and those of long names are left out.
 * @throws FormatError, also over-budget: every entry costs a step
 */
export async function* readEntries(
  source: ByteSource,
  budget: Budget,
  wide: boolean,
  extents: ExtentLookup,
): AsyncGenerator<FatEntry> {
  const long = new LongName();
  for await (const { start, bytes } of pieces(source, budget, extents)) {
    const reader = new ByteReader(bytes);
    for (let at = 0; at + ENTRY_SIZE <= bytes.length; at += ENTRY_SIZE) {
      budget.takeSteps(1, 'FAT directory', start + at);
      const mark = reader.u8(at, 'directory entry');
      if (mark === 0) return;
      if (mark === DELETED) long.clear();
      else if ((reader.u8(at + 11, 'attributes') & ATTRIBUTE.longNameMask) === ATTRIBUTE.longName) long.add(reader, at);
      else {
        const entry = readShortEntry(reader, at, wide);
        yield { ...entry, longName: long.take(entry.rawName), place: start + at };
      }
    }
  }
}

async function* pieces(
  source: ByteSource,
  budget: Budget,
  extents: ExtentLookup,
): AsyncGenerator<{ readonly start: number; readonly bytes: Uint8Array }> {
  let offset = 0;
  for (;;) {
    const [extent] = await extents(offset, PIECE);
    if (extent === undefined || extent.at + extent.length <= offset) return;
    const within = offset - extent.at;
    const start = extent.start + within;
    const length = Math.min(extent.length - within, PIECE);
    if (offset + length > MOST_DIRECTORY_BYTES)
      throw new FormatError('malformed', 'FAT directory', start, `it is longer than ${MOST_DIRECTORY_BYTES} bytes`);
    yield { start, bytes: await source.read(start, length) };
    offset += length;
  }
}
