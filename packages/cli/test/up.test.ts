import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unpin } from './unpin.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function noKvm(): string | false {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return 'needs /dev/kvm';
  }
}

/** Processes that name a directory on their command line. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir);
      } catch {
        return false;
      }
    });
}

describe('unpin up', () => {
  let stateDir = '';
  let server: ChildProcess | undefined;
  let url = '';
  let printed = '';

  before(async () => {
    stateDir = mkdtempSync(join(tmpdir(), 'unpin-up-'));
    server = spawn(process.execPath, [MAIN, 'up', '--no-demo', '--listen', '127.0.0.1:0', '--state-dir', stateDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    for await (const chunk of server.stdout ?? []) {
      printed += String(chunk);
      url = /serving on (\S+)/.exec(printed)?.[1] ?? '';
      if (url !== '') break;
    }
  });
  after(() => {
    server?.kill('SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });

  const ask = async (...args: string[]) => unpin(['--url', url, ...args]);

  test('shows what this machine can run, then serves', () => {
    assert.match(printed, /VM TYPE\s+HERE/);
    assert.match(printed, /sev-upm/);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+/);
  });

  test('a second one on the same database is refused and disturbs nothing', async () => {
    const second = await unpin(['up', '--no-demo', '--listen', '127.0.0.1:0', '--state-dir', stateDir]);
    assert.equal(second.code, 75);
    assert.match(second.stderr, /DATABASE_IN_USE/);
    assert.equal((await ask('image', 'list')).code, 0);
  });

  test('refuses an image that does not report, with need, finding, evidence, alternatives and remedy', async () => {
    const refused = await ask('vm', 'create', 'quiet', '--image', 'probe-silent', '--type', 'sev-upm');
    assert.equal(refused.code, 1);
    for (const part of [
      /ADMISSION_REFUSED/,
      /needs reports-conversions/,
      /found no/,
      /evidence/,
      /it may have .*sev/,
      /to qualify/,
    ])
      assert.match(refused.stderr, part);
    assert.doesNotMatch((await ask('vm', 'list')).stdout, /quiet/);
  });

  test('runs a VM, shows it as SHAPED with its figures, and forgets it', { skip: noKvm() }, async () => {
    const created = await ask(
      '--json',
      'vm',
      'create',
      'first',
      '--image',
      'probe',
      '--type',
      'sev-upm',
      '--execution',
      'shaped',
    );
    assert.equal(created.code, 0, created.stdout + created.stderr);
    const shown = await ask('vm', 'show', 'first');
    assert.match(shown.stdout, /SHAPED, not confidential/);
    assert.match(shown.stdout, /conversions/);
    assert.equal((await ask('vm', 'delete', 'first')).code, 0);
    assert.equal((await ask('vm', 'show', 'first')).code, 66);
  });

  test('a waiver lets a lying guest run, and its lies are named', { skip: noKvm() }, async () => {
    const create = ['vm', 'create', 'liar', '--image', 'probe-lying', '--type', 'sev-upm', '--execution', 'shaped'];
    assert.equal((await ask(...create)).code, 1);
    assert.equal((await ask(...create, '--waive', 'to see it lie')).code, 0);
    let shown = '';
    for (let i = 0; i < 100 && !shown.includes('LIE'); i++) shown = (await ask('vm', 'show', 'liar')).stdout;
    assert.match(shown, /LIE .*GPA 0x[0-9a-f]+/);
    assert.match(shown, /on SEV hardware:/);
    assert.equal((await ask('vm', 'delete', 'liar')).code, 0);
  });

  test('Ctrl-C ends it in order and leaves no process behind', async () => {
    const ended = new Promise<number | null>((resolve) => server?.once('exit', resolve));
    server?.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.deepEqual(processesOf(stateDir), []);
  });
});
