import { type CreateTableBuilder, type Kysely, PostgresAdapter } from 'kysely';

/** A primary key that the database counts up, in each engine's own words. Numbers are never used twice. */
export function addSequence<T extends string>(
  db: Kysely<unknown>,
  table: CreateTableBuilder<T>,
  column: string,
): CreateTableBuilder<T, string> {
  return db.getExecutor().adapter instanceof PostgresAdapter
    ? table.addColumn(column, 'bigint', (c) => c.primaryKey().generatedAlwaysAsIdentity())
    : table.addColumn(column, 'integer', (c) => c.primaryKey().autoIncrement());
}
