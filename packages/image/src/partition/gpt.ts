import { crc32 } from 'node:zlib';
import { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { guidOf } from './guid.ts';
import { layOut, type PartitionPlace } from './lay-out.ts';
import type { MbrEntry } from './mbr.ts';
import type { PartitionTable } from './partition-table.ts';

/** UEFI specification 5.3, GUID Partition Table. */
const SIGNATURE = 'EFI PART';
const HEADER_BYTES = 92;
/** An image doesn't say which it was made with: the header, in sector 1, is where it is. */
const SECTOR_SIZES: readonly number[] = [512, 4096];
const MIN_ENTRY_BYTES = 128;
/** 16 KiB are usual (128 entries); Linux refuses arrays of more than 4 MiB. */
const ARRAY_LIMIT = 4 * 2 ** 20;
const NAME_BYTES = 72;
const UNUSED_TYPE = '00000000-0000-0000-0000-000000000000';

interface GptHeader {
  readonly sectorBytes: number;
  /** In sectors; both ends count. */
  readonly firstUsable: number;
  readonly lastUsable: number;
  readonly entries: ByteReader;
  readonly entryBytes: number;
}

/**
 * The table of a disk whose MBR is a protective one.
 * @throws FormatError with what is wrong with the primary table, where the backup is no better
 */
export async function readGpt(disk: ByteSource, mbr: readonly MbrEntry[], budget: Budget): Promise<PartitionTable> {
  const notes = mbr.length > 1 ? ['a hybrid MBR: the GPT counts, the other entries of the MBR do not'] : [];
  const header = await firstGood(disk, notes);
  return { kind: 'gpt', partitions: layOut(disk, placesOf(header, budget), budget), notes };
}

async function firstGood(disk: ByteSource, notes: string[]): Promise<GptHeader> {
  const complaints: FormatError[] = [];
  for (const place of ['primary', 'backup'] as const)
    for (const sectorBytes of SECTOR_SIZES.filter((size) => disk.size >= 3 * size))
      try {
        const sector = place === 'primary' ? 1 : Math.floor(disk.size / sectorBytes) - 1;
        const header = await readHeader(disk, sectorBytes, sector, place);
        if (header === undefined) continue;
        if (place === 'backup')
          notes.push(`the backup GPT counts: ${complaints[0]?.message ?? 'there is no primary one'}`);
        return header;
      } catch (error) {
        if (!(error instanceof FormatError) || (error.kind !== 'malformed' && error.kind !== 'truncated')) throw error;
        complaints.push(error);
      }
  throw complaints[0] ?? new FormatError('malformed', 'protective MBR', 0, 'there is no GPT behind it');
}

/** Undefined where none begins there. */
async function readHeader(
  disk: ByteSource,
  sectorBytes: number,
  sector: number,
  place: 'primary' | 'backup',
): Promise<GptHeader | undefined> {
  const at = sector * sectorBytes;
  const what = `${place} GPT header`;
  const header = new ByteReader(await disk.read(at, sectorBytes));
  if (header.cString(0, SIGNATURE.length, what) !== SIGNATURE) return undefined;
  const size = header.u32(12, what);
  if (size < HEADER_BYTES || size > sectorBytes)
    throw new FormatError('malformed', what, at, `a header of ${size} bytes`);
  const checked = Uint8Array.from(header.slice(0, size, what));
  checked.fill(0, 16, 20);
  if (crc32(checked) !== header.u32(16, what)) throw new FormatError('malformed', what, at, 'its checksum is wrong');
  if (header.size64(24, what) !== sector) throw new FormatError('malformed', what, at, 'it belongs to another sector');
  const count = header.u32(80, what);
  const entryBytes = header.u32(84, what);
  if (entryBytes < MIN_ENTRY_BYTES || (entryBytes & (entryBytes - 1)) !== 0)
    throw new FormatError('malformed', what, at, `entries of ${entryBytes} bytes`);
  if (count * entryBytes > ARRAY_LIMIT)
    throw new FormatError('malformed', what, at, `${count} entries of ${entryBytes} bytes`);
  const arrayAt = header.size64(72, what) * sectorBytes;
  const array = await disk.read(arrayAt, count * entryBytes);
  if (crc32(array) !== header.u32(88, what))
    throw new FormatError('malformed', `${place} GPT entries`, arrayAt, 'their checksum is wrong');
  return {
    sectorBytes,
    firstUsable: header.size64(40, what),
    lastUsable: header.size64(48, what),
    entries: new ByteReader(array),
    entryBytes,
  };
}

function placesOf(header: GptHeader, budget: Budget): readonly PartitionPlace[] {
  const { entries, entryBytes, sectorBytes } = header;
  const places: PartitionPlace[] = [];
  for (let at = 0; at + entryBytes <= entries.length; at += entryBytes) {
    budget.takeSteps(1, 'GPT entry', at);
    const type = guidOf(entries.slice(at, 16, 'GPT entry'));
    if (type === UNUSED_TYPE) continue;
    // Not exact above 2^53, and far past any disk's end there: a broken entry doesn't take the others with it.
    const first = Number(entries.u64(at + 32, 'GPT entry'));
    const last = Number(entries.u64(at + 40, 'GPT entry'));
    const notes: string[] = [];
    if (last < first) notes.push(`ends before it starts: sectors ${first} to ${last}`);
    else if (first < header.firstUsable || last > header.lastUsable)
      notes.push(`lies where the table allows none: sectors ${first} to ${last}`);
    places.push({
      number: at / entryBytes + 1,
      start: first * sectorBytes,
      bytes: Math.max(0, last - first + 1) * sectorBytes,
      type,
      uuid: guidOf(entries.slice(at + 16, 16, 'GPT entry')),
      label: nameOf(entries.slice(at + 56, NAME_BYTES, 'GPT entry')),
      notes,
    });
  }
  return places;
}

function nameOf(utf16: Uint8Array): string {
  const text = Buffer.from(utf16).toString('utf16le');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
