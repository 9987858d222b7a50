import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { UnpinError } from '@unpin/contract';
import { headRevision } from '../changes.ts';
import { Doorbell } from '../doorbell.ts';
import { GroupCommit } from '../group-commit.ts';
import { migrate } from '../migrate.ts';
import type { Schema } from '../schema.ts';
import type { Store } from '../store.ts';
import { Writes } from '../writes.ts';
import { queriesOver } from './dialect.ts';
import { endsTransaction, translate } from './failure.ts';
import { lockDatabase } from './lock.ts';
import { openConnection, type SqliteConnection } from './node-sqlite.ts';

/** `unpn` in ASCII: marks the file as ours, so that another program's database is never migrated. */
const APPLICATION_ID = 0x756e706e;
const BUSY_MS = 1000;

/**
 * Opens, or makes, the database of a control plane and brings it to this version's schema. Durable: WAL with an fsync
 * at each commit. DATABASE_IN_USE, DATABASE_TOO_NEW, DATABASE_FULL or DATABASE_UNUSABLE where that cannot be.
 */
export async function openSqlite(path: string): Promise<Store> {
  makeDirectory(path);
  const lock = lockDatabase(path);
  const opened: { close(): void }[] = [];
  try {
    const connection = openConnection(path, { busyMs: BUSY_MS });
    opened.push(connection);
    prepare(connection, path);
    const writer = queriesOver<Schema>(connection);
    await migrate(writer, path);
    const snapshots = openConnection(path, { busyMs: BUSY_MS, readOnly: true });
    opened.push(snapshots);
    const reader = queriesOver<Schema>(snapshots);

    const doorbell = new Doorbell();
    doorbell.ring(await headRevision(writer));
    const commits = new GroupCommit(writer, doorbell, { endsTransaction });
    const writes = new Writes(commits, (error) => translate(error, path));

    return {
      where: path,
      doorbell,
      state: writes.state,
      write: writes.write,
      async read(body) {
        try {
          return await reader.transaction().execute(body);
        } catch (error) {
          throw translate(error, path);
        }
      },
      async close() {
        await commits.idle();
        await reader.destroy();
        await writer.destroy();
        lock.release();
      },
    };
  } catch (error) {
    for (const connection of opened.reverse()) connection.close();
    lock.release();
    throw translate(error, path);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UnpinError('DATABASE_UNUSABLE', { subject: path, found: String(error), cause: error });
  }
}

function prepare(connection: SqliteConnection, path: string): void {
  const owner = pragma(connection, 'application_id');
  const tables = connection.prepare('SELECT count(*) AS n FROM sqlite_schema').all([])[0] as { n: number };
  if (owner !== APPLICATION_ID && (owner !== 0 || tables.n > 0))
    throw new UnpinError('DATABASE_UNUSABLE', {
      subject: path,
      found: "another program's database",
      needed: 'a database of unpin, or no file of that name',
      next: 'name another with --database',
    });
  const health = connection.prepare('PRAGMA quick_check(1)').all([])[0] as { quick_check: string };
  if (health.quick_check !== 'ok')
    throw new UnpinError('DATABASE_UNUSABLE', {
      subject: path,
      found: health.quick_check,
      needed: 'an undamaged database',
      next: 'restore it from a backup, or name another with --database',
    });
  connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  if (owner !== APPLICATION_ID) connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

function pragma(connection: SqliteConnection, name: string): unknown {
  return Object.values(connection.prepare(`PRAGMA ${name}`).all([])[0] as Record<string, unknown>)[0];
}
