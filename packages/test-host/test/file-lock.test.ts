import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { withFileLock } from '../src/cache/file-lock.ts';

describe('a lock on a file', () => {
  let folder: string;
  let lock: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unpin-lock-'));
    lock = join(folder, 'made', 'here', 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withFileLock(lock, () => {}, work)));
    assert.deepEqual([inside, most], [0, 1]);
  });

  test('is given back when the work fails', async () => {
    const broken = new Error('broken');
    await assert.rejects(
      withFileLock(
        lock,
        () => {},
        () => Promise.reject(broken),
      ),
      broken,
    );
    assert.equal(
      await withFileLock(
        lock,
        () => {},
        () => Promise.resolve(7),
      ),
      7,
    );
  });

  test('is given back when its holder is killed, and one who waits is told so', async () => {
    const module = join(import.meta.dirname, '../src/cache/file-lock.ts');
    const program = `import { withFileLock } from ${JSON.stringify(module)};
      await withFileLock(${JSON.stringify(lock)}, () => {}, () => new Promise(() => { console.log('in'); setInterval(() => {}, 1000); }));`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    let told = 0;
    const tell = (): void => {
      told++;
      holder.kill('SIGKILL');
    };
    const mine = withFileLock(lock, tell, () => Promise.resolve('mine'));
    assert.equal(await mine, 'mine');
    assert.equal(told, 1);
  });
});
