import type { ByteSource } from '../source/byte-source.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

/** A file of any kind, by its own number: an inode, or for FAT its first cluster and directory entry. */
export interface FileNode {
  /** Equal for the same file, and only for it, within one filesystem. */
  readonly id: number;
  readonly kind: FileKind;
  /** In bytes; 0 where it means nothing. */
  readonly size: number;
}

/** A name of a directory. `.` and `..` are left out. */
export interface DirectoryEntry {
  readonly name: string;
  readonly node: FileNode;
}

/**
 * A filesystem, read as it lies on its partition: no mounting, no rights looked at, no journal replayed (a filesystem
 * whose journal holds what its metadata needs says so in `notes`). Nothing in it leads outside of it.
 * All methods throw FormatError, and nothing else for bad input.
 */
export interface Filesystem {
  /** As people say it: `ext4`, `FAT32`, `XFS`. */
  readonly kind: 'ext2' | 'ext3' | 'ext4' | 'FAT12' | 'FAT16' | 'FAT32' | 'XFS';
  /** As loaders search for it: ext and XFS as a lower-case GUID, FAT as `1234-ABCD`; empty where it has none. */
  readonly uuid: string;
  readonly label: string;
  /** FAT: names are compared without case. */
  readonly ignoresCase: boolean;
  readonly root: FileNode;
  /** What stands in the way of trusting what is read: a dirty journal, say. */
  readonly notes: readonly string[];
  /** The entry of that name in a directory, by its index where it has one; undefined where there is none. */
  find(directory: FileNode, name: string): Promise<FileNode | undefined>;
  /** All entries, in no stated order. Charged to the budget entry by entry. */
  list(directory: FileNode): Promise<readonly DirectoryEntry[]>;
  /** A file's content; holes read as zeroes, and nothing is read before it is asked for. */
  open(file: FileNode): Promise<ByteSource>;
  /** The target of a symbolic link, as written. */
  readLink(link: FileNode): Promise<string>;
}
