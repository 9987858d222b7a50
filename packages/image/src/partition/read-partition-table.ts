import { ByteReader } from '../byte-reader.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { readGpt } from './gpt.ts';
import { hasProtectiveEntry, type MbrEntry, readMbr, tableEntries } from './mbr.ts';
import type { PartitionTable } from './partition-table.ts';

/** An MBR counts in these, whatever the disk's sectors are: an image doesn't say what they were. */
const SECTOR_BYTES = 512;

/**
 * How a disk is divided, as Linux and GRUB see it: a GPT counts only behind a protective MBR (which may be a hybrid
 * one), and a boot sector is no table because it ends in 55 aa alone.
 * @throws FormatError malformed where a protective MBR stands before no GPT; over-budget; what reading throws.
 *   What is wrong with a single partition is in its notes.
 */
export async function readPartitionTable(disk: ByteSource, budget: Budget): Promise<PartitionTable> {
  if (disk.size < SECTOR_BYTES) return { kind: 'none', partitions: [], notes: [] };
  const sector = new ByteReader(await disk.read(0, SECTOR_BYTES));
  const entries = tableEntries(sector);
  if (entries === undefined || (isBootSector(sector) && !entries.every((entry) => liesOn(disk, entry))))
    return { kind: 'none', partitions: [], notes: [] };
  return hasProtectiveEntry(entries)
    ? await readGpt(disk, entries, budget)
    : await readMbr(disk, sector, entries, budget);
}

/**
 * Whether a filesystem's boot sector calls itself one. It may yet be an MBR (boot loaders keep what was in the sector
 * before them); then its entries make sense, which code in their place doesn't.
 */
function isBootSector(sector: ByteReader): boolean {
  const name = (at: number): string => sector.cString(at, 8, 'boot sector');
  return (
    ['NTFS    ', 'EXFAT   ', '-FVE-FS-'].includes(name(3)) ||
    ['FAT12   ', 'FAT16   ', 'FAT     '].includes(name(54)) ||
    name(82) === 'FAT32   '
  );
}

function liesOn(disk: ByteSource, entry: MbrEntry): boolean {
  return (entry.start + entry.sectors) * SECTOR_BYTES <= disk.size;
}
