import { ByteReader } from '../byte-reader.ts';
import { guidOf } from '../partition/guid.ts';

/**
 * The table with which firmware of the OVMF family tells a VMM about itself (edk2, OvmfPkg/ResetVector): it ends 32
 * bytes before the end of flash memory, and is read backwards. Each entry is its data, its whole size in 16 bits, and its
 * GUID; the last one's size is that of the table.
 */
const FOOTER = '96b582de-1fb2-45f7-baea-a366c55a082d';
const AFTER_TABLE = 32;
const GUID_SIZE = 16;
const TAIL = 2 + GUID_SIZE;
/** Tables have up to a dozen entries; the 16-bit size bounds them too. */
const MOST_ENTRIES = 256;

export interface GuidEntry {
  readonly guid: string;
  /** Where its data lies in the file. */
  readonly offset: number;
  readonly data: ByteReader;
}

export interface GuidTable {
  /** False where the file ends with one entry and no footer, as firmware of 2020 does. */
  readonly footer: boolean;
  readonly entries: readonly GuidEntry[];
  /** What is wrong with it: the entries before that place are there, those behind it are not. */
  readonly problem: string | undefined;
}

/**
 * Reads the table. Of firmware from before the table came, the one entry that stands in its place.
 * @param isKnown whether a GUID is one that may stand alone
 * @returns undefined where there is neither
 */
export function readGuidTable(file: Uint8Array, isKnown: (guid: string) => boolean): GuidTable | undefined {
  const reader = new ByteReader(file);
  const end = file.length - AFTER_TABLE;
  if (!reader.has(end - TAIL, TAIL)) return undefined;
  const last = tailAt(reader, end);
  if (last.guid !== FOOTER) {
    const entry = isKnown(last.guid) ? entryAt(reader, end, 0) : undefined;
    return typeof entry === 'object' ? { footer: false, entries: [entry], problem: undefined } : undefined;
  }
  const entries: GuidEntry[] = [];
  const start = end - last.size;
  if (last.size < TAIL || start < 0) return { footer: true, entries, problem: `a table of ${last.size} bytes` };
  let at = end - TAIL;
  while (at > start) {
    const entry = entryAt(reader, at, start);
    if (typeof entry === 'string') return { footer: true, entries, problem: entry };
    if (entries.length === MOST_ENTRIES) return { footer: true, entries, problem: 'more entries than a table has' };
    entries.push(entry);
    at = entry.offset;
  }
  return { footer: true, entries, problem: undefined };
}

function tailAt(reader: ByteReader, end: number): { readonly guid: string; readonly size: number } {
  const what = 'firmware GUID table';
  return {
    size: reader.u16(end - TAIL, what),
    guid: guidOf(reader.slice(end - GUID_SIZE, GUID_SIZE, what)),
  };
}

/** The entry that ends at `end`; what is wrong with it otherwise. */
function entryAt(reader: ByteReader, end: number, start: number): GuidEntry | string {
  if (end - TAIL < start) return `an entry's tail at byte ${end - TAIL} begins before its table`;
  const { guid, size } = tailAt(reader, end);
  const offset = end - size;
  if (size < TAIL || offset < start) return `the entry ${guid} at byte ${end} has ${size} bytes`;
  return { guid, offset, data: new ByteReader(reader.slice(offset, size - TAIL, 'firmware GUID entry')) };
}
