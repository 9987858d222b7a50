import type { Kysely } from 'kysely';
import type { Doorbell } from './doorbell.ts';
import type { Schema } from './schema.ts';

/** A view of the database inside one transaction; the files beside this one take it and know no engine. */
export type Db = Kysely<Schema>;

export type StoreState = { readonly state: 'ok' } | { readonly state: 'read-only'; readonly problem: string };

/**
 * The control plane's memory. One transaction is one decision: what `write` has answered is durable, and what it has
 * refused has left nothing behind. Errors are the catalogue's: DATABASE_FULL, DATABASE_UNUSABLE, or the body's own.
 */
export interface Store {
  /** For people: where it is. */
  readonly where: string;
  /** Rings after a commit that added to the change log. */
  readonly doorbell: Doorbell;
  /** Reads a consistent snapshot. Goes on when the disk is full. */
  read<T>(body: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Reads and writes as the only writer. Bodies that come together are committed together, each in a savepoint of its
   * own: one that throws takes back its own writes alone. A body may be run once only, and must not wait for anything
   * but the database.
   */
  write<T>(body: (db: Db) => Promise<T>): Promise<T>;
  /** How the last write went. */
  state(): StoreState;
  close(): Promise<void>;
}
