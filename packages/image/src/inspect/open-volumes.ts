import type { ImageLayers } from '@unpin/contract';
import { openFilesystem } from '../filesystem/open-filesystem.ts';
import type { Volume } from '../filesystem/volume.ts';
import { FormatError } from '../format-error.ts';
import type { Partition, PartitionTable } from '../partition/partition-table.ts';
import { readPartitionTable } from '../partition/read-partition-table.ts';
import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';

export interface OpenedVolumes {
  readonly table: PartitionTable;
  /** Those that can be read. */
  readonly volumes: readonly Volume[];
  /** Why others can't; those from which nothing boots are left out. */
  readonly unread: readonly FormatError[];
  /** All of them, for people. */
  readonly described: ImageLayers['volumes'];
  /** What is wrong with those that can be read, one line each: overlaps, a journal that was not replayed. */
  readonly notes: readonly string[];
}

/** Partitions that hold no filesystem by their type: BIOS boot, PReP, Microsoft's reserve; swap. */
const NOTHING_BOOTS_FROM: ReadonlySet<string> = new Set([
  '21686148-6449-6e6f-744e-656564454649',
  '9e1a2d38-c612-4316-aa26-8b49521e5a8b',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
  '0x82',
]);

/**
 * The filesystems of a disk. One that can't be read costs itself.
 * @throws FormatError where the partition table is broken; over-budget; unreadable
 */
export async function openVolumes(disk: ByteSource, budget: Budget): Promise<OpenedVolumes> {
  const table = await readPartitionTable(disk, budget);
  const places: readonly (Partition | undefined)[] = table.kind === 'none' ? [undefined] : table.partitions;
  const volumes: Volume[] = [];
  const unread: FormatError[] = [];
  const described: ImageLayers['volumes'] = [];
  const notes: string[] = [];
  for (const partition of places) {
    const source = partition?.source ?? disk;
    notes.push(...(partition?.notes ?? []).map((note) => `${titleOf(partition)}: ${note}`));
    const place = partition === undefined ? {} : { partition: partition.number };
    const add = (holds: string): number => described.push({ ...place, holds, bytes: source.size });
    if (partition !== undefined && NOTHING_BOOTS_FROM.has(partition.type)) {
      add('no filesystem, by its type');
      continue;
    }
    try {
      const filesystem = await openFilesystem(source, budget);
      volumes.push({ partition, filesystem });
      notes.push(...filesystem.notes.map((note) => `${titleOf(partition)} (${filesystem.kind}): ${note}`));
      add(filesystem.kind);
    } catch (error) {
      if (!(error instanceof FormatError) || error.kind === 'over-budget' || error.kind === 'unreadable') throw error;
      const where = titleOf(partition);
      const detail = error.message.replace(/^.*? at byte \d+: /, '');
      add(detail);
      if (!detail.startsWith('Linux swap'))
        unread.push(new FormatError(error.kind, `${where}: ${error.what}`, error.offset, detail));
    }
  }
  return { table, volumes, unread, described, notes };
}

function titleOf(partition: Partition | undefined): string {
  return partition === undefined ? 'whole disk' : `partition ${partition.number}`;
}
