import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TraceEvent } from '@unpin/contract';
import { symbolKernel } from '../../vmm/test/helpers/symbol-kernel.ts';
import { unpin } from './unpin.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** `out 0x80, al; jmp` back to it: exits without end. */
const BUSY = Uint8Array.of(0xe6, 0x80, 0xeb, 0xfc);

describe('unpin vm trace', () => {
  let dir = '';
  let server: ChildProcess | undefined;
  let url = '';

  const ask = async (...args: string[]) => unpin(['--url', url, ...args]);

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'unpin-trace-'));
    server = spawn(process.execPath, [MAIN, 'up', '--no-demo', '--listen', '127.0.0.1:0', '--state-dir', dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let printed = '';
    for await (const chunk of server.stdout ?? []) {
      printed += String(chunk);
      url = /serving on (\S+)/.exec(printed)?.[1] ?? '';
      if (url !== '') break;
    }
    const kernel = join(dir, 'busy-kernel');
    writeFileSync(kernel, symbolKernel(BUSY));
    assert.equal((await ask('image', 'add', 'busy', '--kernel', kernel)).code, 0);
    const create = ['vm', 'create', 'busy', '--image', 'busy', '--type', 'standard', '--execution', 'emulated'];
    const created = await ask(...create, '--memory', '64M');
    assert.equal(created.code, 0, created.stdout + created.stderr);
  });
  after(async () => {
    await ask('vm', 'delete', 'busy');
    server?.kill('SIGINT');
    if (server !== undefined && server.exitCode === null) await once(server, 'exit');
    rmSync(dir, { recursive: true, force: true });
  });

  test('prints exits and named samples for a time, then what they amount to; the VM goes on', async () => {
    const traced = await ask('vm', 'trace', 'busy', '--kinds', 'exits,samples', '--every', '5', '--duration', '1');
    assert.equal(traced.code, 0, traced.stderr);
    assert.match(traced.stdout, /ms {2}exit {8}io +0x80 +out 1 B +[0-9.]+ [nµm]s$/m);
    assert.match(traced.stdout, /ms {2}sample {6}kernel +function_0\+0x[02] \(0x[0-9a-f]+\)$/m);
    assert.match(traced.stdout, /^traced 1\.0\d? s, \d+ events/m);
    assert.match(traced.stdout, /^ {2}io +\d+ /m);
    assert.match(traced.stdout, /^ +\d+\.\d % +function_0$/m);
    assert.match((await ask('vm', 'list')).stdout, /busy.*running/);
  });

  test('with --json is one object a line; Ctrl-C ends it in order', async () => {
    const child = spawn(process.execPath, [MAIN, '--json', '--url', url, 'vm', 'trace', 'busy', '--kinds', 'exits'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    for await (const chunk of child.stdout) {
      if (printed === '') child.kill('SIGINT');
      printed += String(chunk);
    }
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 0);
    const lines = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TraceEvent | { kind: 'summary' | 'lost'; exits?: object });
    assert.equal(lines.at(-1)?.kind, 'summary');
    // The kick that begins a trace may itself be the first exit.
    const first = lines.find((line) => line.kind === 'exit' && line.reason !== 'intr');
    assert.ok(first?.kind === 'exit' && first.reason === 'io' && first.port === 0x80, JSON.stringify(first));
    assert.match((await ask('vm', 'list')).stdout, /busy.*running/);
  });

  test('refuses kinds and times that there are not, and VMs that there are not', async () => {
    assert.equal((await ask('vm', 'trace', 'busy', '--kinds', 'exits,everything')).code, 64);
    assert.equal((await ask('vm', 'trace', 'busy', '--duration', 'long')).code, 64);
    assert.equal((await ask('vm', 'trace', 'busy', '--every', '0.5')).code, 64);
    assert.equal((await ask('vm', 'trace', 'nobody')).code, 66);
    assert.equal((await ask('run', 'probe', '--trace=everything')).code, 64);
  });
});
