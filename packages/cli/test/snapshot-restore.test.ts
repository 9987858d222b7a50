import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assetPath, findAsset } from '@unpin/test-host';
import { unpin } from './unpin.ts';

const CLI = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const KERNEL = 'kernel-6.12-cloud';
const INITRD = 'initrd-shell';
const PROMPT = /\/root # /;
/** A bound on what hangs, not a measure. */
const LIMIT_MS = 120_000;

const missing = [KERNEL, INITRD].find((id) => findAsset(id as typeof KERNEL) === undefined);
const skip = missing === undefined ? false : `${missing} is not here: unpin test-host fetch gets it`;

const dir = mkdtempSync(join(tmpdir(), 'unpin-cli-snapshot-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A guest at this test's hands: what it prints is waited for, what is typed goes to its shell. */
class Guest {
  heard = '';
  told = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[]) {
    const child = spawn(process.execPath, [CLI, 'run', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.stdout.on('data', (chunk: Buffer) => (this.heard += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.told += chunk.toString()));
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        clearTimeout(limit);
        resolve(code);
      });
    });
  }

  async hears(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.heard)) {
      assert.equal(this.child.exitCode, null, `it ended: ${this.heard.slice(-500)}${this.told}`);
      await Promise.race([new Promise((resolve) => this.child.stdout?.once('data', resolve)), this.ended]);
    }
  }

  type(line: string): void {
    this.heard = '';
    this.child.stdin?.write(`${line}\n`);
  }
}

describe('unpin run --snapshot and --restore', () => {
  test('carry a Debian in sev-upm from one process to another, at its shell', { skip }, async (t) => {
    const file = join(dir, 'debian');
    const boot = [assetPath(KERNEL), '--initrd', assetPath(INITRD), '--append', 'quiet'];
    const how = ['--kvm', 'software', '--type', 'sev-upm', '--memory', '512M', '--timeout', '280'];
    const first = new Guest([...boot, ...how, '--snapshot', file]);
    await first.hears(PROMPT);
    first.type('kept=$((6 * 7)); echo "set $kept"');
    await first.hears(/set 42[^]*\/root # /);
    first.child.kill('SIGTERM');
    assert.equal(await first.ended, 0, first.told);
    assert.match(first.told, /saved to .*: [\d.]+ MiB in \d+ ms/);
    t.diagnostic(/saved to .*/.exec(first.told)?.[0] ?? '');
    assert.equal(
      readFileSync(file).includes('Kernel panic - not syncing'),
      false,
      'private memory is ciphertext in the file',
    );

    const begin = performance.now();
    const second = new Guest(['--restore', file, '--figures']);
    await second.hears(/set 42/);
    second.type('echo "still $kept"; grep -c . /proc/cmdline');
    await second.hears(/still 42\r?\n1\r?\n[^]*\/root # /);
    t.diagnostic(`${statSync(file).size / 2 ** 20} MiB; answer in a new process after ${performance.now() - begin} ms`);
    second.type('poweroff');
    assert.equal(await second.ended, 0, second.told);
    assert.match(second.told, /sev-upm/);
    assert.match(second.told, /power-off/);
    assert.match(second.told, /restored \d+ MiB in \d+ ms/);
    t.diagnostic(/restored .*/.exec(second.told)?.[0] ?? '');
  });

  test('refuse a file that is none, and neither kernel nor file', async () => {
    const foreign = await unpin(['run', '--restore', fileURLToPath(import.meta.url)]);
    assert.equal(foreign.code, 65);
    assert.match(foreign.stderr, /not a snapshot/);
    const none = await unpin(['run', '--restore', join(dir, 'none')]);
    assert.equal(none.code, 66);
    const neither = await unpin(['run']);
    assert.equal(neither.code, 64);
  });
});
