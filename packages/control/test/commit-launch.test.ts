import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { CreateVm } from '@unpin/contract';
import { Presence } from '../src/hosts/presence.ts';
import { takeRegistration } from '../src/hosts/take-registration.ts';
import { commitLaunch } from '../src/launch/commit-launch.ts';
import { type LaunchPlan, planLaunch } from '../src/launch/plan-launch.ts';
import { readLaunchSnapshot } from '../src/launch/read-snapshot.ts';
import { deleteImage, insertImage, judgeImage } from '../src/store/images.ts';
import { openSqlite } from '../src/store/sqlite/open-sqlite.ts';
import type { Store } from '../src/store/store.ts';
import { listVms } from '../src/store/vms.ts';
import { temporaryDir } from './support/control-process.ts';
import { GIB, registration } from './support/hosts.ts';
import { rightKernel } from './support/verdicts.ts';

const NOW = 1_000_000;

async function judged(store: Store): Promise<void> {
  await store.write(async (db) => {
    const boot = { kind: 'linux', kernel: '/k' } as const;
    await insertImage(db, { name: 'new', boot, builtIn: false, host: undefined, createdAt: NOW });
    await judgeImage(db, 'new', { host: 'here', generation: 1, at: NOW, verdict: rightKernel, error: undefined });
  });
}

/** A store with a host and an image, and a way to plan on what is in it now. */
async function prepared(t: TestContext) {
  const store = await openSqlite(join(temporaryDir(t), 'db'));
  t.after(() => store.close());
  const presence = new Presence();
  presence.heartbeat('here', NOW, 16 * GIB, []);
  await store.write((db) => takeRegistration(db, 'here', registration(), NOW));
  await judged(store);
  const plan = async (name: string, change: Partial<CreateVm> = {}): Promise<LaunchPlan> => {
    const request: CreateVm = { name, image: 'new', type: 'sev', memoryBytes: 10 * GIB, allow: ['shaped'], ...change };
    const snapshot = await store.read((db) => readLaunchSnapshot(db, request, presence, NOW));
    return planLaunch(request, snapshot, { uid: name, at: NOW });
  };
  const commit = (each: LaunchPlan) => store.write((db) => commitLaunch(db, each, 'local'));
  const names = async () => (await store.read(listVms)).map(({ name }) => name);
  return { store, plan, commit, names };
}

describe('the commit of a launch looks again', () => {
  test('at pinned memory: of two plans on one snapshot that fit one by one, the second must be made anew', async (t) => {
    const { plan, commit, names } = await prepared(t);
    const [first, second] = [await plan('first'), await plan('second')];
    assert.equal(await commit(first), true);
    assert.equal(await commit(second), false);
    assert.deepEqual(await names(), ['first']);
    await assert.rejects(plan('second'), { code: 'PLACEMENT_FAILED' });
  });

  test('at the host: a plan for an agent that has been replaced must be made anew', async (t) => {
    const { store, plan, commit, names } = await prepared(t);
    const stale = await plan('web');
    await store.write((db) => takeRegistration(db, 'here', registration(), NOW));
    assert.equal(await commit(stale), false);
    assert.deepEqual(await names(), []);
    assert.equal(await commit(await plan('web')), true);
  });

  test('at the image: a plan for one that is gone must be made anew', async (t) => {
    const { store, plan, commit, names } = await prepared(t);
    const stale = await plan('web');
    await store.write((db) => deleteImage(db, 'new'));
    assert.equal(await commit(stale), false);
    assert.deepEqual(await names(), []);
    await assert.rejects(plan('web'), { code: 'NOT_FOUND' });
  });

  test('at the name, which is the one thing that planning anew does not mend', async (t) => {
    const { plan, commit, names } = await prepared(t);
    const on = { type: 'sev-upm' };
    const [first, second] = [await plan('web', on), await plan('web', on)];
    assert.equal(await commit(first), true);
    await assert.rejects(commit({ ...second, vm: { ...second.vm, uid: 'other' } }), { code: 'ALREADY_EXISTS' });
    assert.deepEqual(await names(), ['web']);
  });
});

describe('a refused body of a shared commit', () => {
  test('takes back its own writes and no other', async (t) => {
    const { store } = await prepared(t);
    const boot = { kind: 'linux', kernel: '/k' } as const;
    const add = (name: string, fails: boolean) =>
      store.write(async (db) => {
        await insertImage(db, { name, boot, builtIn: false, host: undefined, createdAt: NOW });
        if (fails) throw new Error('refused');
      });
    const outcomes = await Promise.allSettled([add('a', false), add('b', true), add('c', false)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    const rows = await store.read((db) => db.selectFrom('images').select('name').orderBy('name').execute());
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['a', 'c', 'new'],
    );
  });
});
