import { randomBytes } from 'node:crypto';
import { UnpinError } from '@unpin/contract';
import { destination, pino } from 'pino';
import { Presence } from './hosts/presence.ts';
import { buildApp } from './http/app.ts';
import { type ControlOptions, isPostgres } from './options.ts';
import { addBuiltInImages } from './store/built-in-images.ts';
import type { Store } from './store/store.ts';

export interface RunningControl {
  readonly url: string;
  readonly database: string;
  /** Answers what is under way, then gives back port and database. */
  close(): Promise<void>;
}

/** Opens the database and serves it on loopback. ADDRESS_IN_USE, or what opening the database says. */
export async function serve(options: ControlOptions): Promise<RunningControl> {
  const store = await openStore(options.database);
  const ending = new AbortController();
  const log = pino({ name: 'unpin-control', level: options.logLevel }, destination({ fd: 2, sync: true }));
  const app = buildApp({
    store,
    presence: new Presence(),
    log,
    admission: options.admission,
    now: () => Date.now(),
    newUid: () => randomBytes(6).toString('hex'),
    ending: ending.signal,
  });
  try {
    await addBuiltInImages(store, Date.now());
    const url = await app.listen({ host: '127.0.0.1', port: options.port });
    return {
      url,
      database: store.where,
      async close() {
        ending.abort();
        await app.close();
        await store.close();
      },
    };
  } catch (error) {
    await app.close();
    await store.close();
    throw listenError(error, options.port);
  }
}

/** Each engine is loaded where it is wanted. */
async function openStore(database: string): Promise<Store> {
  if (isPostgres(database)) return await (await import('./store/postgres/open-postgres.ts')).openPostgres(database);
  return await (await import('./store/sqlite/open-sqlite.ts')).openSqlite(database);
}

function listenError(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new UnpinError('ADDRESS_IN_USE', {
      subject: `127.0.0.1:${port}`,
      next: 'name another port with --port, 0 for any',
      cause: error,
    });
  if (code === 'EACCES')
    return new UnpinError('IO', { subject: `127.0.0.1:${port}`, found: 'no right to listen there', cause: error });
  return error;
}
