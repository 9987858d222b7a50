import type { Partition } from '../partition/partition-table.ts';
import type { Filesystem } from './filesystem.ts';

/** A filesystem and where it lies: what a boot loader can reach. */
export interface Volume {
  /** Undefined where the whole disk is the filesystem. */
  readonly partition: Partition | undefined;
  readonly filesystem: Filesystem;
}
