import { ByteReader } from '../byte-reader.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { layOut, type PartitionPlace } from './lay-out.ts';
import type { PartitionTable } from './partition-table.ts';

/** UEFI specification 5.2.1, Legacy Master Boot Record; the extended partition's chain is as DOS and Linux have it. */
const SECTOR_BYTES = 512;
const DISK_SIGNATURE_AT = 440;
const ENTRIES_AT = 446;
const ENTRY_BYTES = 16;
const BOOT_SIGNATURE_AT = 510;
const BOOT_SIGNATURE = 0xaa55;
const PROTECTIVE_TYPE = 0xee;
const EXTENDED_TYPES: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
const FIRST_LOGICAL = 5;
/** Linux numbers no more partitions of a disk than this; a chain that goes on isn't followed. */
const CHAIN_LIMIT = 256;

export interface MbrEntry {
  /** From 1, by its place in the table. */
  readonly number: number;
  readonly type: number;
  /** In sectors, from the start of the disk or of what the table stands in. */
  readonly start: number;
  readonly sectors: number;
}

/**
 * The four entries of a sector, empty ones left out; undefined where it isn't a table: no 55 aa, a boot flag that is
 * none (code, where a boot sector of a filesystem has it), or nothing but a partition that would hold its own table,
 * which mkfs.vfat writes for the firmware's sake.
 */
export function tableEntries(sector: ByteReader): readonly MbrEntry[] | undefined {
  if (sector.u16(BOOT_SIGNATURE_AT, 'boot sector') !== BOOT_SIGNATURE) return undefined;
  const entries: MbrEntry[] = [];
  for (let number = 1; number <= 4; number++) {
    const at = ENTRIES_AT + (number - 1) * ENTRY_BYTES;
    const flag = sector.u8(at, 'partition entry');
    if (flag !== 0 && flag !== 0x80) return undefined;
    const type = sector.u8(at + 4, 'partition entry');
    const start = sector.u32(at + 8, 'partition entry');
    const sectors = sector.u32(at + 12, 'partition entry');
    if (type !== 0 && start !== 0 && sectors !== 0) entries.push({ number, type, start, sectors });
  }
  return entries.length === 0 ? undefined : entries;
}

/** As Linux tells a protective MBR: one entry of its type that starts behind it. */
export function hasProtectiveEntry(entries: readonly MbrEntry[]): boolean {
  return entries.some((entry) => entry.type === PROTECTIVE_TYPE && entry.start === 1);
}

export async function readMbr(
  disk: ByteSource,
  sector: ByteReader,
  entries: readonly MbrEntry[],
  budget: Budget,
): Promise<PartitionTable> {
  const signature = hex(sector.u32(DISK_SIGNATURE_AT, 'disk signature'), 8);
  const notes: string[] = [];
  const found = entries.filter((entry) => !isExtended(entry));
  // DOS had one extended partition; where there are more, Linux goes on counting.
  for (const extended of entries.filter(isExtended))
    found.push(...(await logicalEntries(disk, extended, FIRST_LOGICAL + logicalCount(found), notes, budget)));
  const places: PartitionPlace[] = found.map(({ number, type, start, sectors }) => ({
    number,
    start: start * SECTOR_BYTES,
    bytes: sectors * SECTOR_BYTES,
    type: `0x${hex(type, 2)}`,
    uuid: `${signature}-${hex(number, 2)}`,
    label: '',
    notes: [],
  }));
  return { kind: 'mbr', partitions: layOut(disk, places, budget), notes };
}

/**
 * The chain of tables in an extended partition. Each has one logical partition, from that table on, and a link to the
 * next table, from the extended partition on. What breaks the chain is noted: those before it count.
 */
async function logicalEntries(
  disk: ByteSource,
  extended: MbrEntry,
  firstNumber: number,
  notes: string[],
  budget: Budget,
): Promise<readonly MbrEntry[]> {
  const found: MbrEntry[] = [];
  const seen = new Set<number>();
  let table: number | undefined = extended.start;
  while (table !== undefined) {
    const start: number = table;
    const at = start * SECTOR_BYTES;
    budget.takeSteps(1, 'extended partition', at);
    const end = chainEnd(disk, start, seen);
    const entries = end === undefined ? tableEntries(new ByteReader(await disk.read(at, SECTOR_BYTES))) : undefined;
    if (entries === undefined) {
      // The first table of an empty extended partition may be all zeroes.
      if (end !== undefined || seen.size > 0)
        notes.push(`the chain of logical partitions ${end ?? 'leads to what is no table'}, at byte ${at}`);
      break;
    }
    seen.add(start);
    for (const entry of entries.filter((entry) => !isExtended(entry)))
      found.push({ ...entry, number: firstNumber + found.length, start: start + entry.start });
    const link = entries.find(isExtended);
    table = link && extended.start + link.start;
  }
  return found;
}

/** Why the chain isn't followed to a table, undefined where it is. */
function chainEnd(disk: ByteSource, start: number, seen: ReadonlySet<number>): string | undefined {
  if (seen.has(start)) return 'leads back to itself';
  if (seen.size === CHAIN_LIMIT) return `has more than ${CHAIN_LIMIT} tables`;
  return (start + 1) * SECTOR_BYTES > disk.size ? 'leads past the end of the disk' : undefined;
}

function isExtended(entry: MbrEntry): boolean {
  return EXTENDED_TYPES.has(entry.type);
}

function logicalCount(entries: readonly MbrEntry[]): number {
  return entries.filter((entry) => entry.number >= FIRST_LOGICAL).length;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
