import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { SpillLimits } from '../source/spill-file.ts';
import type { BackingResolver } from './backing.ts';
import type { ReadFormat, Wrapping } from './disk-format.ts';

/** A disk as its guest sees it. */
export interface Disk {
  readonly format: ReadFormat;
  /** What it came in, the outermost first. */
  readonly wrappings: readonly Wrapping[];
  /** The guest's view. */
  readonly source: ByteSource;
  /** What a person should know of how it was read, one line each: what was unpacked, flags of damage. */
  readonly notes: readonly string[];
  /** Lets go of temporary and backing files; not of the source that was given. May be called again. */
  close(): void;
}

export interface OpenDiskOptions {
  /** Charged with all that is read here and there, and with every byte that is made of it. */
  readonly budget: Budget;
  /** What stands behind a qcow2 that has a backing file; refuses unless given. */
  readonly backing?: BackingResolver;
  /** For what must be unpacked whole before it can be read: DEFAULT_SPILL unless given. */
  readonly spill?: SpillLimits;
  /** As people say it is: `raw` for a disk whose owner could have written another format's magic into it. */
  readonly format?: 'raw' | 'qcow2';
  /** Which file of an archive is meant, by its name in there, where it holds several disks. */
  readonly member?: string;
}
