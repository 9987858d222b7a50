import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { UnpinError } from '@unpin/contract';
import { sqliteCode, translate } from './failure.ts';
import { openConnection } from './node-sqlite.ts';

const BUSY = 5;

export interface HeldLock {
  release(): void;
}

/**
 * One process a database. The lock is SQLite's own on an empty file beside it, held for the process's life: the
 * kernel drops it with the process, kill -9 included. DATABASE_IN_USE where another holds it.
 */
export function lockDatabase(path: string): HeldLock {
  const owner = `${path}.owner`;
  const connection = open(`${path}.lock`, path);
  try {
    // No journal on disk: nothing is ever written here, and a full disk must not look like another process.
    connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    connection.close();
    if (sqliteCode(error) !== BUSY) throw translate(error, path);
    throw new UnpinError('DATABASE_IN_USE', {
      subject: path,
      found: ownerOf(owner),
      needed: 'a database that no other unpin has open',
      next: 'use the one that runs, or name another database with --database',
      cause: error,
    });
  }
  writeOwner(owner);
  return {
    release() {
      rmSync(owner, { force: true });
      connection.close();
    },
  };
}

function open(lock: string, path: string) {
  try {
    return openConnection(lock, { busyMs: 0 });
  } catch (error) {
    throw translate(error, path);
  }
}

/** Only for the message of the next one who comes; without room for it, the lock holds all the same. */
function writeOwner(owner: string): void {
  try {
    writeFileSync(owner, String(process.pid), { mode: 0o600 });
  } catch {
    rmSync(owner, { force: true });
  }
}

function ownerOf(owner: string): string {
  try {
    return `process ${readFileSync(owner, 'utf8').trim()}`;
  } catch {
    return 'another process';
  }
}
