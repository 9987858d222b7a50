import { tmpdir } from 'node:os';
import { FormatError } from '../format-error.ts';
import { openNameless, type SpillLimits } from '../source/spill-file.ts';

/** A disk in layers of archives takes one for each. */
const COUNT = 4;
/** What one inspection may unpack in all, zeroes included, in bytes. */
const MOST_BYTES = 2 ** 36;
/** What it may keep on the machine's disk, in bytes: so much in all, and so many times what the file itself takes. */
const MOST_STORED = 2 ** 33;
const ALWAYS_STORED = 2 ** 28;
/** Disks pack to a third; a file that unpacks to more than this is there to fill the machine's disk. */
const STORED_RATIO = 32;

/** Temporary files for a process that will not be able to open any: without names, so that they go with it. */
export interface SpillPool {
  /** @param bytes of the file that is inspected; 0: not known */
  limitsFor(bytes: number): SpillLimits;
  /** Whether any was taken: they are not given back. */
  readonly used: boolean;
}

/** Where there can be none, what needs one says so. */
export function openSpillPool(): SpillPool {
  const descriptors = openAll();
  let taken = 0;
  return {
    limitsFor: (bytes) => ({
      bytes: MOST_BYTES,
      stored: bytes === 0 ? MOST_STORED : Math.min(MOST_STORED, ALWAYS_STORED + STORED_RATIO * bytes),
      open: () => {
        const descriptor = descriptors[taken];
        if (descriptor === undefined)
          throw new FormatError('unreadable', 'temporary file', 0, `no further one is left`);
        taken++;
        return descriptor;
      },
    }),
    get used() {
      return taken > 0;
    },
  };
}

function openAll(): readonly number[] {
  const descriptors: number[] = [];
  try {
    for (let index = 0; index < COUNT; index++) descriptors.push(openNameless(tmpdir()));
  } catch {
    // Images that need none are inspected all the same.
  }
  return descriptors;
}
