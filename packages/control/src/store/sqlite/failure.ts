import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { UnpinError } from '@unpin/contract';

/** Primary result codes (sqlite.org/rescode.html); the extended ones carry them in their low byte. */
const SQLITE = { perm: 3, busy: 5, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantOpen: 14, notADb: 26 } as const;

/** The result code of a node:sqlite error, undefined for other errors. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** Whether the whole transaction is gone, not only a statement of it. */
export function endsTransaction(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE.full || code === SQLITE.ioerr || code === SQLITE.corrupt || code === SQLITE.notADb;
}

/** An error of SQLite in the catalogue's words; anything else as it is. */
export function translate(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const found = (error as Error).message;
  switch (code) {
    case SQLITE.full:
      return full(path, found, error);
    case SQLITE.ioerr:
    case SQLITE.cantOpen: {
      const refusal = roomRefusal(path);
      return refusal === undefined ? unusable(path, found, error) : full(path, `${found} (${refusal})`, error);
    }
    case SQLITE.busy:
      return new UnpinError('DATABASE_IN_USE', {
        subject: path,
        found,
        next: 'stop the other program that uses this file',
        cause: error,
      });
    case SQLITE.corrupt:
    case SQLITE.notADb:
    case SQLITE.perm:
    case SQLITE.readonly:
      return unusable(path, found, error);
    default:
      return error;
  }
}

function full(path: string, found: string, cause: unknown): UnpinError {
  return new UnpinError('DATABASE_FULL', {
    subject: path,
    found,
    needed: 'room on the disk or in the quota',
    next: `df -h ${path}`,
    cause,
  });
}

function unusable(path: string, found: string, cause: unknown): UnpinError {
  return new UnpinError('DATABASE_UNUSABLE', {
    subject: path,
    found,
    needed: 'a database of unpin that this user may read and write',
    next: 'restore it from a backup, or name another with --database',
    cause,
  });
}

/**
 * SQLite tells a full quota and a broken disk by the same code. So ask the file system: the errno with which it
 * refuses 64 KiB beside the database where that means no room, else undefined.
 */
function roomRefusal(path: string): string | undefined {
  const trial = `${path}.room-${process.pid}`;
  try {
    const fd = openSync(trial, 'wx', 0o600);
    try {
      writeSync(fd, Buffer.alloc(65_536, 1));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code) ? code : undefined;
  } finally {
    rmSync(trial, { force: true });
  }
  return undefined;
}
