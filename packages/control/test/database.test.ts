import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CATALOGUE } from '@unpin/contract';
import { openConnection } from '../src/store/sqlite/node-sqlite.ts';
import { type ControlProcess, errorOf, start, temporaryDir, tryStart } from './support/control-process.ts';

const add = (control: ControlProcess, name: string) =>
  control.people.addImage({
    body: { name, boot: { kind: 'linux', kernel: `/boot/${name}`, commandLine: 'x'.repeat(2000) } },
  });

async function imageNames(control: ControlProcess): Promise<string[]> {
  const { images } = await control.people.listImages({});
  return images.filter(({ builtIn }) => !builtIn).map(({ name }) => name);
}

async function hasAll(control: ControlProcess, acknowledged: ReadonlySet<string>): Promise<boolean> {
  const names = new Set(await imageNames(control));
  return [...acknowledged].every((name) => names.has(name));
}

/** Adds images until the database refuses one; answers those that it acknowledged. */
async function fill(control: ControlProcess): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 1000; i < 9999; i++) {
    const name = `image-${i}`;
    try {
      await add(control, name);
      acknowledged.push(name);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'DATABASE_FULL');
      return acknowledged;
    }
  }
  throw new Error('the disk never filled up');
}

async function servesReads(control: ControlProcess, acknowledged: readonly string[]): Promise<void> {
  assert.deepEqual(await imageNames(control), acknowledged);
  const { database } = await control.people.getHealth({});
  assert.equal(database.state, 'read-only');
  assert.match(database.problem ?? '', /disk or quota under the database is full/);
}

describe('a second start on the same database', () => {
  test('is refused while the first lives, names it, and harms neither', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    const first = await start(t, database);
    const second = await tryStart(t, database);
    assert.ok('error' in second);
    assert.equal(second.error.code, 'DATABASE_IN_USE');
    assert.equal(second.error.found, `process ${first.pid}`);
    assert.equal(second.exitCode, CATALOGUE.DATABASE_IN_USE.exit);
    await add(first, 'a');
    assert.equal(await first.stop(), 0);
    const third = await start(t, database);
    assert.deepEqual(await imageNames(third), ['a']);
  });

  test('is welcome after kill -9', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    const first = await start(t, database);
    await first.kill();
    await start(t, database);
  });
});

describe('kill -9', () => {
  test('loses nothing that was acknowledged, at whatever moment', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    const acknowledged = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const control = await start(t, database);
      assert.ok(await hasAll(control, acknowledged));
      const killAt = 5 + 7 * round;
      let seen = 0;
      const adding = Array.from({ length: 60 }, async (_, i) => {
        const name = `r${round}-${i}`;
        await add(control, name);
        acknowledged.add(name);
        if (++seen === killAt) await control.kill();
      });
      await Promise.allSettled(adding);
      assert.ok(seen >= killAt);
    }
    const control = await start(t, database);
    assert.ok(await hasAll(control, acknowledged));
  });
});

describe('a full disk', () => {
  test('refuses writes by name, loses nothing, goes on with reads, and writes again when there is room', async (t) => {
    const dir = smallDisk(t, '1m');
    if (dir === undefined) return;
    const ballast = join(dir, 'ballast');
    writeFileSync(ballast, Buffer.alloc(200_000));
    const control = await start(t, join(dir, 'unpin.sqlite'));
    const acknowledged = await fill(control);
    assert.ok(acknowledged.length > 0);
    await servesReads(control, acknowledged);
    rmSync(ballast);
    await add(control, 'late');
    assert.equal((await control.people.getHealth({})).database.state, 'ok');
    assert.deepEqual(await imageNames(control), [...acknowledged, 'late']);
  });

  test('that is full at the start is told by name and by exit code', async (t) => {
    const dir = smallDisk(t, '64k');
    if (dir === undefined) return;
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(64 * 1024 - 4096));
    const started = await tryStart(t, join(dir, 'unpin.sqlite'));
    assert.ok('error' in started);
    assert.deepEqual([started.error.code, started.exitCode], ['DATABASE_FULL', CATALOGUE.DATABASE_FULL.exit]);
  });
});

describe('a full quota', () => {
  test('is a full disk', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    // No file of this process may grow beyond 400 KiB (RLIMIT_FSIZE, in units of 1 KiB in bash).
    const control = await start(t, database, ['bash', '-c', 'ulimit -f 400; exec "$0" "$@"']);
    const acknowledged = await fill(control);
    assert.ok(acknowledged.length > 0);
    await servesReads(control, acknowledged);
    await control.kill();
    const again = await start(t, database);
    assert.deepEqual(await imageNames(again), acknowledged);
    await add(again, 'late');
  });
});

describe('a database that is not to be used', () => {
  test('written by a newer unpin is refused and left as it is', async (t) => {
    const database = join(temporaryDir(t), 'unpin.sqlite');
    assert.equal(await (await start(t, database)).stop(), 0);
    const connection = openConnection(database, { busyMs: 0 });
    connection.exec("insert into kysely_migration (name, timestamp) values ('9999-the-future', '2099')");
    connection.close();
    const started = await tryStart(t, database);
    assert.ok('error' in started);
    assert.deepEqual([started.error.code, started.error.found], ['DATABASE_TOO_NEW', 'schema 9999-the-future']);
    assert.equal(started.exitCode, CATALOGUE.DATABASE_TOO_NEW.exit);
  });

  test('that is no database, damaged, another program’s or a directory is refused and left as it is', async (t) => {
    const dir = temporaryDir(t);
    const noise = join(dir, 'noise.sqlite');
    writeFileSync(noise, 'this is not a database, but it is someone’s work\n'.repeat(100));
    const other = join(dir, 'other.sqlite');
    const connection = openConnection(other, { busyMs: 0 });
    connection.exec('create table recipes (name text)');
    connection.close();
    const directory = join(dir, 'directory.sqlite');
    mkdirSync(directory);
    const damaged = join(dir, 'damaged.sqlite');
    const control = await start(t, damaged);
    for (let i = 0; i < 40; i++) await add(control, `image-${i}`);
    await control.stop();
    const { size } = statSync(damaged);
    const broken = readFileSync(damaged);
    broken.fill(0xff, 4096 * 3, size - 4096);
    writeFileSync(damaged, broken);

    for (const path of [noise, other, directory, damaged]) {
      const started = await tryStart(t, path);
      assert.ok('error' in started, path);
      assert.deepEqual(
        [started.error.code, started.exitCode],
        ['DATABASE_UNUSABLE', CATALOGUE.DATABASE_UNUSABLE.exit],
        path,
      );
      assert.notEqual(started.error.next, undefined);
    }
    const untouched = openConnection(other, { busyMs: 0, readOnly: true });
    t.after(() => untouched.close());
    const [only, ...more] = untouched.prepare('select name from sqlite_schema').all([]) as { name: string }[];
    assert.deepEqual([only?.name, more], ['recipes', []]);
  });
});

test('an address that is taken is told by name, and gives the database back', async (t) => {
  const dir = temporaryDir(t);
  const first = await start(t, join(dir, 'a.sqlite'));
  const port = new URL(first.url).port;
  const second = await tryStart(t, join(dir, 'b.sqlite'), ['bash', '-c', `exec "$0" "\${@:1:3}" --port ${port}`]);
  assert.ok('error' in second);
  assert.equal(second.error.code, 'ADDRESS_IN_USE');
  await start(t, join(dir, 'b.sqlite'));
});

test('errors of bodies that share a commit are their own', async (t) => {
  const control = await start(t, join(temporaryDir(t), 'unpin.sqlite'));
  const codes = await Promise.all(
    ['a', 'a', 'b', 'a', 'c'].map((name) =>
      add(control, name).then(
        () => 'added',
        (e: { code: string }) => e.code,
      ),
    ),
  );
  assert.deepEqual(codes.toSorted(), ['ALREADY_EXISTS', 'ALREADY_EXISTS', 'added', 'added', 'added']);
  assert.deepEqual(await imageNames(control), ['a', 'b', 'c']);
  assert.equal((await errorOf(add(control, 'a'))).code, 'ALREADY_EXISTS');
});

/** A directory on a file system of its own, undefined where none may be mounted: then the test is skipped. */
function smallDisk(t: TestContext, size: string): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-small-'));
  const options = ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir];
  const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' });
  t.after(() => {
    if (status === 0) spawnSync('umount', ['-l', dir]);
    rmdirSync(dir);
  });
  if (status === 0) return dir;
  t.skip(`no right to mount a small file system here: ${stderr}`);
  return undefined;
}
