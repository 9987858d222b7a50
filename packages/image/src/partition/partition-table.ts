import type { ByteSource } from '../source/byte-source.ts';

export interface Partition {
  /** As the table and loaders count: from 1; logical partitions of an MBR from 5. */
  readonly number: number;
  /** In bytes, from the start of the disk. */
  readonly start: number;
  readonly bytes: number;
  /** GPT: the type's GUID, lower case. MBR: the type byte as `0x83`. */
  readonly type: string;
  /** GPT: the partition's own GUID, lower case. MBR: `<disk signature>-<number, two digits>`, as Linux's PARTUUID. */
  readonly uuid: string;
  /** GPT only; may be empty. */
  readonly label: string;
  /** What is wrong with it: overlaps with another one, an end past the disk's (then `source` ends there too). */
  readonly notes: readonly string[];
  /** What lies in it. */
  readonly source: ByteSource;
}

/** How a disk is divided. `none`: the whole disk is one filesystem, or something else entirely. */
export interface PartitionTable {
  readonly kind: 'gpt' | 'mbr' | 'none';
  /** In the order of their numbers, empty entries and the extended partition (which only holds others) left out. */
  readonly partitions: readonly Partition[];
  /** What is wrong with the table, or was passed over in it: a broken primary GPT, say. */
  readonly notes: readonly string[];
}
