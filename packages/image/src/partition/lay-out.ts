import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { windowOf } from '../source/window.ts';
import type { Partition } from './partition-table.ts';

/** A partition as its table says it. */
export interface PartitionPlace extends Omit<Partition, 'source' | 'notes'> {
  readonly notes: readonly string[];
}

/** Partitions as they lie on the disk: cut off at its end, overlaps noted, in the order of their numbers. */
export function layOut(disk: ByteSource, places: readonly PartitionPlace[], budget: Budget): readonly Partition[] {
  const overlaps = overlapsOf(places, budget);
  return places
    .map((place) => {
      const end = place.start + place.bytes;
      const start = Math.min(place.start, disk.size);
      const notes = [...place.notes, ...(overlaps.get(place) ?? [])];
      if (end > disk.size) notes.push(`ends at byte ${end}, ${end - disk.size} bytes past the end of the disk`);
      const name = `${disk.name}, partition ${place.number}`;
      return { ...place, notes, source: windowOf(disk, name, start, Math.min(end, disk.size) - start) };
    })
    .sort((a, b) => a.number - b.number);
}

/** For each partition at most one note, though it may overlap with all: notes are for people. */
function overlapsOf(places: readonly PartitionPlace[], budget: Budget): Map<PartitionPlace, string[]> {
  const notes = new Map<PartitionPlace, string[]>();
  const sorted = places.filter((place) => place.bytes > 0).sort((a, b) => a.start - b.start);
  let reaching: PartitionPlace | undefined;
  for (const place of sorted) {
    budget.takeSteps(1, 'partition', place.start);
    if (reaching !== undefined && place.start < reaching.start + reaching.bytes) {
      notes.set(place, [`overlaps with partition ${reaching.number}`]);
      if (!notes.has(reaching)) notes.set(reaching, [`overlaps with partition ${place.number}`]);
    }
    if (reaching === undefined || place.start + place.bytes > reaching.start + reaching.bytes) reaching = place;
  }
  return notes;
}
