import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { findAsset, startPostgres } from '../src/index.ts';

const skip = findAsset('postgres') === undefined ? 'needs postgres: unpin test-host fetch postgres' : false;

/** Whether somebody answers on the server's socket. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(socket);
    client.once('connect', () => resolve(true)).once('error', () => resolve(false));
    client.once('close', () => client.destroy());
    client.on('connect', () => client.end());
  });
}

test('a PostgreSQL of its own starts, survives a crash, and leaves nothing behind', { skip }, async () => {
  const server = await startPostgres();
  const sockets = new URL(server.url).searchParams.get('host') ?? '';
  const socket = join(sockets, '.s.PGSQL.5432');
  assert.ok(await answers(socket));
  await server.crash();
  assert.ok(!(await answers(socket)));
  await server.start();
  assert.ok(await answers(socket));
  await server.stop();
  assert.ok(!existsSync(sockets));
});
