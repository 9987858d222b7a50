import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';
import type { ClosableSource } from './closable-source.ts';
import { descriptorSource } from './descriptor-source.ts';

/** An open file, and which one it is on this machine. */
export interface FileSource extends ClosableSource {
  /** `<device>:<inode>`: equal for the same file under all its names. */
  readonly identity: string;
}

export interface OpenFileOptions {
  /** Refuse a symbolic link as the path's last part. False unless said: people name files by links. */
  readonly refuseLink?: boolean;
  /** For the error: what was looked for. */
  readonly needed?: string;
}

/**
 * Opens a regular file to be read in parts. It is opened without blocking, so that a FIFO can't hold the caller up,
 * and judged by its descriptor. A sparse file costs nothing but what is read of it.
 * @throws UnpinError FILE_NOT_FOUND, FILE_UNREADABLE (folders, devices, FIFOs and sockets too)
 */
export function openFileSource(path: string, options: OpenFileOptions = {}): FileSource {
  const needed = options.needed ?? 'a disk image';
  const link = options.refuseLink === true ? constants.O_NOFOLLOW : 0;
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | link);
  } catch (cause) {
    throw openError(path, needed, cause);
  }
  let status: Stats;
  try {
    status = fstatSync(descriptor);
    if (!status.isFile()) throw new UnpinError('FILE_UNREADABLE', { subject: path, found: kindOf(status), needed });
  } catch (cause) {
    closeSync(descriptor);
    throw cause instanceof UnpinError ? cause : openError(path, needed, cause);
  }
  // Not spread: its methods close over their state.
  return Object.assign(descriptorSource(path, descriptor, status.size), { identity: `${status.dev}:${status.ino}` });
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  // Node can't ask a block device for its size.
  if (status.isBlockDevice()) return 'a block device: copy what is to be read of it to a file';
  if (status.isCharacterDevice()) return 'a character device';
  if (status.isFIFO()) return 'a FIFO';
  return 'a socket';
}

function openError(path: string, needed: string, cause: unknown): UnpinError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new UnpinError('FILE_NOT_FOUND', { subject: path, needed, cause });
  // O_NOFOLLOW's answer for a link.
  const found = code === 'ELOOP' ? 'a symbolic link' : cause instanceof Error ? cause.message : String(cause);
  return new UnpinError('FILE_UNREADABLE', { subject: path, found, needed, cause });
}
