import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { appendAudit, listAudit } from '../../src/store/audit.ts';
import { ANY_HOST, appendChange, changesSince, hasWorkSince, headRevision } from '../../src/store/changes.ts';
import { findHost, registerHost } from '../../src/store/hosts.ts';
import type { Db, Store } from '../../src/store/store.ts';
import { deleteVm, findVm, insertVm, pinnedByHost, setDesired } from '../../src/store/vms.ts';
import { registration } from '../support/hosts.ts';
import { newVm, withImage } from './rows.ts';

/** A database that is empty at first, opened as often as is asked. */
export interface TestDatabase {
  open(): Promise<Store>;
  drop(): Promise<void>;
}

const audit = (subject: string) => ({ at: 1, actor: 'test', action: 'test', subject, outcome: 'done' as const });
const subjects = async (store: Store) => (await store.read((db) => listAudit(db, 0, 1000))).map((r) => r.subject);

/** What every engine behind the store port must do. */
export function storeConformance(
  engine: string,
  options: { skip: string | false },
  make: () => Promise<TestDatabase>,
): void {
  describe(`the store on ${engine}`, options, () => {
    let database: TestDatabase;
    let store: Store;
    before(async () => {
      database = await make();
      store = await database.open();
    });
    after(async () => {
      await store.close();
      await database.drop();
    });

    test('what was answered is there, also after it was closed and opened again', async () => {
      await store.write((db) => appendAudit(db, audit('kept')));
      await store.close();
      store = await database.open();
      assert.deepEqual(await subjects(store), ['kept']);
    });

    test('a body that throws leaves nothing, and those that share its commit stay', async () => {
      const outcomes = await Promise.allSettled(
        ['a', 'bad', 'b'].map((subject) =>
          store.write(async (db) => {
            await appendAudit(db, audit(subject));
            if (subject === 'bad') throw new Error('no');
          }),
        ),
      );
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.deepEqual((await subjects(store)).slice(-2), ['a', 'b']);
    });

    test('a statement that the database refuses ends its body alone', async () => {
      const outcomes = await Promise.allSettled(
        [1, 2].map((round) =>
          store.write(async (db) => {
            await appendAudit(db, audit(`round ${round}`));
            if (round === 1)
              await db
                .insertInto('vms')
                .values({ name: 'half' } as never)
                .execute();
          }),
        ),
      );
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'fulfilled'],
      );
      assert.equal((await subjects(store)).at(-1), 'round 2');
      assert.ok(!(await subjects(store)).includes('round 1'));
    });

    test('a read sees one moment, whatever is committed meanwhile', async () => {
      const [first, second] = await store.read(async (db) => {
        const early = await headRevision(db);
        await store.write((writer) => change(writer, 'meanwhile'));
        return [early, await headRevision(db)];
      });
      assert.equal(first, second);
      assert.ok((await store.read((db) => headRevision(db))) > (first ?? 0));
    });

    test('the doorbell rings for changes, with the head of the log', async () => {
      const quiet = store.doorbell.revision;
      await store.write((db) => appendAudit(db, audit('no change')));
      assert.equal(store.doorbell.revision, quiet);
      const heard = store.doorbell.heard(10_000, new AbortController().signal);
      await store.write((db) => change(db, 'rings'));
      await heard;
      assert.equal(store.doorbell.revision, await store.read((db) => headRevision(db)));
    });

    test('revisions ascend, and a watch gets all after its own', async () => {
      const since = await store.read((db) => headRevision(db));
      await Promise.all(['x', 'y', 'z'].map((name) => store.write((db) => change(db, name))));
      const { changes, resync, revision } = await store.read((db) => changesSince(db, since));
      assert.equal(resync, false);
      assert.equal(changes.length, 3);
      assert.ok(areAscending([since, ...changes.map((each) => each.revision)]));
      assert.equal(revision, changes.at(-1)?.revision);
      assert.equal((await store.read((db) => changesSince(db, revision + 1))).resync, true);
    });

    test('work is told to the host that it is for, and to all where it is for any', async () => {
      const since = await store.read((db) => headRevision(db));
      const asked = (host: string) => store.read((db) => hasWorkSince(db, host, since));
      await store.write((db) => change(db, 'mine', 'here'));
      assert.deepEqual([await asked('here'), await asked('there')], [true, false]);
      await store.write((db) => change(db, 'any', ANY_HOST));
      assert.equal(await asked('there'), true);
    });

    test('numbers beyond 32 bits come back as they were, and so do sums of them', async () => {
      await store.write(async (db) => {
        await withImage(db, 'debian');
        for (const name of ['big', 'bigger']) {
          assert.equal(await insertVm(db, newVm(name, { memoryBytes: 2 ** 45, pinnedBytes: 2 ** 45 })), true);
        }
      });
      const vm = await store.read((db) => findVm(db, 'big'));
      assert.deepEqual([vm?.memoryBytes, vm?.createdAt, vm?.confidential], [2 ** 45, 1_795_000_000_000, false]);
      assert.equal((await store.read((db) => pinnedByHost(db))).get('here'), 2 ** 46);
    });

    test('a name is taken once', async () => {
      assert.equal(await store.write((db) => insertVm(db, newVm('big', { uid: 'another' }))), false);
    });

    test('rows change and go', async () => {
      const uid = newVm('big').uid;
      await store.write((db) => setDesired(db, uid, 'stopped'));
      assert.equal((await store.read((db) => findVm(db, 'big')))?.desired, 'stopped');
      await store.write((db) => deleteVm(db, uid));
      assert.equal(await store.read((db) => findVm(db, 'big')), undefined);
    });

    test('each registration of a host fences the one before', async () => {
      const register = () => store.write((db) => registerHost(db, 'here', registration(), 7));
      assert.deepEqual([await register(), await register()], [1, 2]);
      assert.equal((await store.read((db) => findHost(db, 'here')))?.epoch, 2);
    });

    test('a hundred writers at once lose nothing, in the order of one log', async () => {
      const since = await store.read((db) => headRevision(db));
      await Promise.all(Array.from({ length: 100 }, (_, i) => store.write((db) => change(db, `n${i}`))));
      const { changes } = await store.read((db) => changesSince(db, since));
      assert.equal(new Set(changes.map(({ name }) => name)).size, 100);
      assert.ok(areAscending([since, ...changes.map(({ revision }) => revision)]));
    });
  });
}

/** An engine may leave numbers out, for transactions that were taken back; the order is what watches live by. */
function areAscending(revisions: readonly number[]): boolean {
  return revisions.every((revision, i) => i === 0 || revision > (revisions[i - 1] ?? 0));
}

/** Appends one change. */
export function change(db: Db, name: string, workFor?: string): Promise<void> {
  return appendChange(db, { at: 1, kind: 'vm', name, action: 'added', ...(workFor === undefined ? {} : { workFor }) });
}
