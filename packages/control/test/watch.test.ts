import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { errorOf, start, startWithHost, temporaryDir } from './support/control-process.ts';
import { registration } from './support/hosts.ts';

describe('the change log', () => {
  test('a watch waits for the next change and tells it', async (t) => {
    const { people } = await startWithHost(t);
    const { revision } = await people.watch({ query: {} });
    const next = people.watch({ query: { since: revision, waitMs: 20_000 } });
    await people.addImage({ body: { name: 'a', boot: { kind: 'linux', kernel: '/a' } } });
    const { changes, resync } = await next;
    assert.deepEqual(
      [resync, changes.map(({ kind, name, action }) => [kind, name, action])],
      [false, [['image', 'a', 'added']]],
    );
  });

  test('who comes from another database’s future is told to read everything again', async (t) => {
    const { people } = await startWithHost(t);
    assert.equal((await people.watch({ query: { since: 1_000_000 } })).resync, true);
  });

  test('revisions go on after a restart', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    const first = await start(t, database);
    const { revision } = await first.people.watch({ query: {} });
    await first.stop();
    const second = await start(t, database);
    assert.equal((await second.people.getHealth({})).revision, revision);
    await second.people.addImage({ body: { name: 'a', boot: { kind: 'linux', kernel: '/a' } } });
    assert.ok((await second.people.watch({ query: {} })).revision > revision);
  });

  test('an end does not wait for those who wait', async (t) => {
    const { control, people, agents, epoch } = await startWithHost(t);
    const { revision } = await people.watch({ query: {} });
    const watching = Promise.allSettled([
      people.watch({ query: { since: revision, waitMs: 25_000 } }),
      agents.watchWork({ params: { host: 'here' }, query: { epoch, since: revision, waitMs: 25_000 } }),
    ]);
    assert.equal(await control.stop(), 0);
    await watching;
  });
});

describe('the work of a host', () => {
  test('wakes its agent for its own work, and only then', async (t) => {
    const { people, agents, epoch } = await startWithHost(t);
    await agents.registerHost({ params: { host: 'other' }, body: registration() });
    const { revision } = await people.watch({ query: {} });
    const watch = (waitMs: number) =>
      agents.watchWork({ params: { host: 'here' }, query: { epoch, since: revision, waitMs } });
    const boot = { kind: 'linux', kernel: '/a' } as const;
    await people.addImage({ body: { name: 'theirs', host: 'other', boot } });
    const idle = await watch(0);
    assert.ok(!idle.inspections.some(({ name }) => name === 'theirs'));
    const waiting = watch(20_000);
    await people.addImage({ body: { name: 'mine', host: 'here', boot } });
    assert.ok((await waiting).inspections.some(({ name }) => name === 'mine'));
  });

  test('an agent that waits while another takes its host over is told so at once', async (t) => {
    const { people, agents, epoch } = await startWithHost(t);
    const { revision } = await people.watch({ query: {} });
    const waiting = errorOf(
      agents.watchWork({ params: { host: 'here' }, query: { epoch, since: revision, waitMs: 20_000 } }),
    );
    await agents.registerHost({ params: { host: 'here' }, body: registration() });
    assert.equal((await waiting).code, 'CONFLICT');
  });

  test('a host that never registered is asked to', async (t) => {
    const { agents } = await startWithHost(t);
    const call = agents.watchWork({ params: { host: 'nobody' }, query: { epoch: 1, since: 0, waitMs: 0 } });
    assert.equal((await errorOf(call)).code, 'NOT_FOUND');
  });
});
