import { type DialectAdapter, Kysely, SqliteAdapter, SqliteDialect } from 'kysely';
import type { SqliteConnection } from './node-sqlite.ts';

/** SQLite changes schemas inside transactions; with this, a migration that is killed half-way has not happened. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class NodeSqliteDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new TransactionalDdlAdapter();
  }
}

/** Kysely over one connection; it serialises transactions itself. */
export function queriesOver<S>(connection: SqliteConnection): Kysely<S> {
  return new Kysely<S>({ dialect: new NodeSqliteDialect({ database: connection }) });
}
