import { UnpinError } from '@unpin/contract';
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations/index.ts';
import type { Schema } from './schema.ts';

const TABLE = 'kysely_migration';

/** Brings a database to this version's schema, all in one transaction. DATABASE_TOO_NEW for one from the future. */
export async function migrate(db: Kysely<Schema>, where: string): Promise<void> {
  const unknown = (await applied(db)).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0)
    throw new UnpinError('DATABASE_TOO_NEW', {
      subject: where,
      found: `schema ${unknown.at(-1)}`,
      needed: `schema ${Object.keys(MIGRATIONS).at(-1)} or older`,
      next: 'use the newer unpin, or name another database with --database',
    });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function applied(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === TABLE)) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(db);
  return rows.map((row) => row.name);
}
