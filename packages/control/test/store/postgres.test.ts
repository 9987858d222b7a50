import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findAsset, type RunningPostgres, startPostgres } from '@unpin/test-host';
import { appendAudit } from '../../src/store/audit.ts';
import { changesSince, headRevision } from '../../src/store/changes.ts';
import { openPostgres } from '../../src/store/postgres/open-postgres.ts';
import type { Store } from '../../src/store/store.ts';
import { errorOf, start } from '../support/control-process.ts';
import { change, storeConformance } from './conformance.ts';

const skip = findAsset('postgres') === undefined ? 'needs postgres: unpin test-host fetch postgres' : false;

storeConformance('PostgreSQL', { skip }, async () => {
  const server = await startPostgres({ durable: false });
  return { open: () => openPostgres(server.url), drop: () => server.stop() };
});

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'went well',
    (error: { code?: string }) => error.code,
  );

describe('replicas on one PostgreSQL', { skip }, () => {
  let server: RunningPostgres;
  let replicas: readonly [Store, Store];
  before(async () => {
    server = await startPostgres();
    // Together: both bring the empty database to the schema.
    replicas = await Promise.all([openPostgres(server.url), openPostgres(server.url)]);
  });
  after(async () => {
    await Promise.all(replicas.map((store) => store.close()));
    await server.stop();
  });

  test('hear of each other’s changes', async () => {
    const [one, other] = replicas;
    const heard = other.doorbell.heard(10_000, new AbortController().signal);
    await one.write((db) => change(db, 'news'));
    await heard;
    assert.equal(other.doorbell.revision, one.doorbell.revision);
  });

  test('write one after the other: no watch can pass over a revision that is committed later', async () => {
    const since = await replicas[0].read((db) => headRevision(db));
    let seen = since;
    const written = new AbortController();
    const gaps: string[] = [];
    const watch = async () => {
      while (!written.signal.aborted) {
        const { changes, revision } = await replicas[1].read((db) => changesSince(db, seen));
        if (changes.length !== revision - seen) gaps.push(`${seen}..${revision}: ${changes.length}`);
        seen = revision;
      }
    };
    const watcher = watch();
    await Promise.all(
      replicas.flatMap((store, r) =>
        Array.from({ length: 200 }, (_, i) => store.write((db) => change(db, `${r}-${i}`))),
      ),
    );
    written.abort();
    await watcher;
    assert.deepEqual(gaps, []);
    assert.equal(await replicas[0].read((db) => headRevision(db)), since + 400);
  });

  test('say so while the server is gone, and go on when it is back: nothing that was answered is lost', async () => {
    const [one, other] = replicas;
    await one.write((db) => change(db, 'before'));
    await server.crash();
    assert.equal(await codeOf(one.read((db) => headRevision(db))), 'DATABASE_UNREACHABLE');
    assert.equal(await codeOf(one.write((db) => change(db, 'never'))), 'DATABASE_UNREACHABLE');
    await server.start();
    const head = await one.read((db) => headRevision(db));
    const { changes } = await one.read((db) => changesSince(db, head - 1));
    assert.equal(changes.at(-1)?.name, 'before');
    await one.write((db) => change(db, 'after'));
    // The other one's listener comes back by itself, and makes up for what it has not heard.
    while (other.doorbell.revision < one.doorbell.revision)
      await other.doorbell.heard(1000, new AbortController().signal);
    assert.equal(other.doorbell.revision, await one.read((db) => headRevision(db)));
  });

  test('a database that cannot be used is told by name, its password by nobody', async () => {
    const wrong = server.url.replace('/postgres?', '/nothing-here?').replace('unpin@', 'unpin:secret@');
    await assert.rejects(openPostgres(wrong), ({ code, subject }: { code: string; subject?: string }) => {
      assert.equal(code, 'DATABASE_UNUSABLE');
      assert.doesNotMatch(String(subject), /secret/);
      return true;
    });
    assert.equal(await codeOf(openPostgres('postgresql://unpin@127.0.0.1:1/postgres')), 'DATABASE_UNREACHABLE');
  });

  test('a body that throws after the server has refused a statement of another is answered by its own error', async () => {
    const outcomes = await Promise.allSettled([
      replicas[0].write((db) => appendAudit(db, { at: 1, actor: 'a', action: 'b', subject: 'c', outcome: 'done' })),
      replicas[0].write(() => Promise.reject(new Error('mine'))),
    ]);
    assert.equal(outcomes[0].status, 'fulfilled');
    assert.equal(outcomes[1].status === 'rejected' && (outcomes[1].reason as Error).message, 'mine');
  });
});

test('two control planes serve one database: what one acknowledges, the other shows, and tells its watches', {
  skip,
}, async (t) => {
  const server = await startPostgres({ durable: false });
  t.after(() => server.stop());
  const [one, other] = await Promise.all([start(t, server.url), start(t, server.url)]);
  const { revision } = await other.people.watch({ query: {} });
  const watch = other.people.watch({ query: { since: revision, waitMs: 20_000 } });
  const boot = { kind: 'linux', kernel: '/boot/vmlinuz' } as const;
  await one.people.addImage({ body: { name: 'debian', boot } });
  const { changes } = await watch;
  assert.deepEqual(
    changes.map(({ kind, name, action }) => [kind, name, action]),
    [['image', 'debian', 'added']],
  );
  assert.equal((await other.people.getImage({ params: { name: 'debian' } })).state, 'inspecting');
  assert.equal((await errorOf(other.people.addImage({ body: { name: 'debian', boot } }))).code, 'ALREADY_EXISTS');
});
