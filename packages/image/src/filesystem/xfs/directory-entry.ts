import { FormatError } from '../../format-error.ts';
import type { FileKind } from '../filesystem.ts';

/** An entry as a directory holds it; `.` and `..` are left out. */
export interface XfsEntry {
  /** As it is written; usually UTF-8. */
  readonly rawName: Uint8Array;
  readonly inode: number;
  /** Where the filesystem keeps it with the name. */
  readonly kind: FileKind | undefined;
}

/** Of the byte behind a name: regular file, directory, symbolic link; 3 to 6 are special files, 8 is a whiteout. */
const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [1, 'file'],
  [2, 'directory'],
  [7, 'symlink'],
]);

export function kindOf(ftype: number): FileKind {
  return KINDS.get(ftype) ?? 'other';
}

/** @throws FormatError malformed for what no file can be called: the kernel takes that for corruption, too */
export function checkName(name: Uint8Array, what: string, offset: number): void {
  if (name.length === 0 || name.includes(0) || name.includes(0x2f))
    throw new FormatError('malformed', what, offset, 'a name with a slash or a NUL, or an empty one');
}

export function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

/** Names of files are mostly UTF-8; what isn't shows as U+FFFD and can't be looked up. */
export function textOf(name: Uint8Array): string {
  return Buffer.from(name).toString('utf8');
}
