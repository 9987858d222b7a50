import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { migrate } from '../src/store/migrate.ts';
import { MIGRATIONS } from '../src/store/migrations/index.ts';
import type { Schema } from '../src/store/schema.ts';
import { queriesOver } from '../src/store/sqlite/dialect.ts';
import { openConnection } from '../src/store/sqlite/node-sqlite.ts';
import { temporaryDir } from './support/control-process.ts';

test('a migration that fails half-way has not happened', async (t) => {
  const connection = openConnection(join(temporaryDir(t), 'db'), { busyMs: 0 });
  const db = queriesOver<Schema>(connection);
  t.after(() => db.destroy());
  // The last table of the first migration is already there: the migration must fail on it, and take back the others.
  await sql`create table changes (x integer)`.execute(db);
  await assert.rejects(migrate(db, 'db'));
  const { rows } = await sql<{ name: string }>`select name from sqlite_schema where type = 'table'`.execute(db);
  assert.ok(!rows.some(({ name }) => name === 'images' || name === 'vms'), rows.map(({ name }) => name).join());
});

test('migrating twice is migrating once', async (t) => {
  const connection = openConnection(join(temporaryDir(t), 'db'), { busyMs: 0 });
  const db = queriesOver<Schema>(connection);
  t.after(() => db.destroy());
  await migrate(db, 'db');
  await migrate(db, 'db');
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(MIGRATIONS),
  );
});

test('migrations are in the order of their names', () => {
  assert.deepEqual(Object.keys(MIGRATIONS), Object.keys(MIGRATIONS).toSorted());
});
