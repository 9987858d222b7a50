import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolConfig, types } from 'pg';
import type { Schema } from '../schema.ts';

/** Milliseconds: a server that is slower than that counts as one that doesn't answer. */
const CONNECT_MS = 5_000;
const STATEMENT_MS = 15_000;
/** A replica that dies within a transaction gives the writer's lock back after that. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const MOST_CONNECTIONS = 10;

/** Times, sizes and revisions are below 2^53; sums of them come as `numeric`. */
const NUMBERS = new Set<number>([types.builtins.INT8, types.builtins.NUMERIC]);

/** How this process speaks to the server. */
export function connectionConfig(url: string): PoolConfig {
  return {
    connectionString: url,
    application_name: 'unpin-control',
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    lock_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    types: { getTypeParser: (oid, format) => (NUMBERS.has(oid) ? Number : types.getTypeParser(oid, format)) },
  };
}

/** Kysely over a pool of connections. @param lost is told of idle connections that the server has closed */
export function queriesOver(url: string, lost: (error: Error) => void): Kysely<Schema> {
  const pool = new Pool({ ...connectionConfig(url), max: MOST_CONNECTIONS });
  pool.on('error', lost);
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}
