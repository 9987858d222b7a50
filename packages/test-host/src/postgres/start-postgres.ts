/** A real PostgreSQL of its own for a test: on a Unix socket in a private folder, gone with the test that started it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnpinError } from '@unpin/contract/errors';
import { assetFolder } from '../debian/fetch.ts';
import { type Leashed, startLeashed } from '../host/leashed-process.ts';
import { runTool } from '../run-tool.ts';

const INIT_MS = 60_000;
const START_MS = 30_000;
const LOOK_MS = 20;
const USER = 'unpin';

export interface PostgresOptions {
  /** Default: an fsync at each commit, as in production. `false` for tests that ask nothing of durability. */
  readonly durable?: boolean;
  /** More settings, as `name=value`. */
  readonly settings?: readonly string[];
}

export interface RunningPostgres {
  /** For DATABASE_URL: the database `postgres`, as its superuser. */
  readonly url: string;
  /** Ends every process of it at once, as a crash of the machine does; `start` begins again on what is on the disk. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts the asset `postgres`. It won't run as root: there, it runs as another user of a user namespace, who owns the
 * same files.
 * @throws UnpinError TEST_HOST_MISSING where it hasn't been fetched; ToolError where it doesn't start
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<RunningPostgres> {
  const programs = join(assetFolder('postgres'), 'run');
  const folder = mkdtempSync(join(tmpdir(), 'unpin-postgres-'));
  const data = join(folder, 'data');
  const sockets = join(folder, 'sockets');
  mkdirSync(sockets);
  const [first = '', ...rest] = unprivileged([join(programs, 'initdb'), '--pgdata', data]);
  const flags = ['--no-sync', '--auth', 'trust', '--username', USER, '--locale', 'C', '--encoding', 'UTF8'];
  await runTool(first, [...rest, ...flags], { timeoutMs: INIT_MS });

  const settings = [
    ['listen_addresses=', `unix_socket_directories=${sockets}`],
    options.durable === false ? ['fsync=off', 'synchronous_commit=off'] : [],
    options.settings ?? [],
  ].flat();
  const command = [join(programs, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const url = `postgresql://${USER}@localhost/postgres?host=${encodeURIComponent(sockets)}`;
  let running: Leashed | undefined;

  const start = async (): Promise<void> => {
    // A crash must leave the data: the leash gets a folder of its own to remove.
    running = startLeashed(mkdtempSync(join(folder, 'leash-')), unprivileged(command), process.env);
    await ready(running);
  };
  const crash = async (): Promise<void> => {
    running?.kill();
    await running?.exited;
    running = undefined;
  };
  await start();
  return {
    url,
    crash,
    start,
    async stop() {
      await crash();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL asks the effective user only: a user namespace that maps us to another one is enough. */
function unprivileged(command: readonly string[]): string[] {
  const inNamespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...command];
  return process.getuid?.() === 0 ? inNamespace : [...command];
}

const READY = 'database system is ready to accept connections';

async function ready(server: Leashed): Promise<void> {
  const deadline = performance.now() + START_MS;
  let over: number | undefined;
  void server.exited.then((code) => {
    over = code;
  });
  while (!server.errors().includes(READY)) {
    if (over !== undefined || performance.now() > deadline)
      throw new UnpinError('IO', {
        subject: 'PostgreSQL',
        found: over === undefined ? `not ready after ${START_MS / 1000} s` : `it ended with ${over}`,
        detail: server.errors(),
      });
    await sleep(LOOK_MS);
  }
}
