import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { checkRead } from '../source/most-at-once.ts';

/** A run of a file's bytes that lies in one piece on its volume. */
export interface Extent {
  /** In bytes from the start of the file. */
  readonly at: number;
  /** In bytes, above zero. */
  readonly length: number;
  /** In bytes from the start of the volume. */
  readonly start: number;
}

/**
 * The extents that hold any of a file's bytes from `offset` on, `length` of them, in the file's order and without
 * overlap. Bytes of the file that no extent holds are a hole.
 */
export type ExtentLookup = (offset: number, length: number) => Promise<readonly Extent[]>;

/**
 * A file's content: its extents one after the other, holes as zeroes, which are charged to the budget. Neighbours on
 * the volume are read at once.
 */
export function extentSource(
  name: string,
  size: number,
  volume: ByteSource,
  budget: Budget,
  lookup: ExtentLookup,
): ByteSource {
  return {
    name,
    size,
    read: async (offset, length) => {
      checkRead(name, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      const runs = merged(await lookup(offset, length), offset, offset + length);
      const [first] = runs;
      // The usual case, and then nothing is copied.
      if (first !== undefined && first.at === offset && first.length === length)
        return volume.read(first.start, length);
      const held = runs.reduce((sum, run) => sum + run.length, 0);
      budget.takeBytes(length - held, name, offset);
      const bytes = new Uint8Array(length);
      for (const run of runs) bytes.set(await volume.read(run.start, run.length), run.at - offset);
      return bytes;
    },
  };
}

/** The parts of extents between `from` and `to`, those that follow each other in the file and on the volume as one. */
function merged(extents: readonly Extent[], from: number, to: number): Extent[] {
  const runs: Extent[] = [];
  for (const extent of extents) {
    const at = Math.max(extent.at, from);
    const length = Math.min(extent.at + extent.length, to) - at;
    if (length <= 0) continue;
    const start = extent.start + (at - extent.at);
    const last = runs.at(-1);
    if (last !== undefined && last.at + last.length === at && last.start + last.length === start)
      runs[runs.length - 1] = { at: last.at, length: last.length + length, start: last.start };
    else runs.push({ at, length, start });
  }
  return runs;
}
