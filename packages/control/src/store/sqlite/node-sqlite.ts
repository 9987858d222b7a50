import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { SqliteDatabase } from 'kysely';

/** A connection of node:sqlite, as Kysely wants it. The only file that imports node:sqlite: its names may change. */
export interface SqliteConnection extends SqliteDatabase {
  exec(sql: string): void;
}

export interface OpenMode {
  readonly readOnly?: boolean;
  /** Milliseconds to wait for a lock that another process holds. */
  readonly busyMs: number;
}

export function openConnection(path: string, mode: OpenMode): SqliteConnection {
  const database = new DatabaseSync(path, { readOnly: mode.readOnly ?? false, timeout: mode.busyMs });
  return {
    close: () => database.close(),
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...(values as SQLInputValue[])),
        run: (values) => statement.run(...(values as SQLInputValue[])),
        iterate: (values) => statement.iterate(...(values as SQLInputValue[])),
      };
    },
  };
}
