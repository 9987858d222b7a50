import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
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

/** Bytes that one write may add to a file. */
const STEP = 65_536;

/**
 * SQLite tells a full quota and a broken disk by the same code. So ask the system: the errno with which it refuses
 * STEP more bytes where that means no room, else undefined.
 */
function roomRefusal(path: string): string | undefined {
  return atSizeLimit(path) ? 'EFBIG' : trialRefusal(`${path}.room-${process.pid}`);
}

/** Whether a file of the database is as large as this process may make one (RLIMIT_FSIZE; proc(5), limits). */
function atSizeLimit(path: string): boolean {
  const limit = Number(/^Max file size\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
  return [path, `${path}-wal`].some((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) + STEP > limit);
}

function trialRefusal(trial: string): string | undefined {
  try {
    const fd = openSync(trial, 'wx', 0o600);
    try {
      writeSync(fd, Buffer.alloc(STEP, 1));
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
