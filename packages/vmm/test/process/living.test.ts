import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CATALOGUE, vmmRoutes } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { startVmm } from '../../src/index.ts';
import { probeOrder } from '../helpers/orders.ts';
import { TINY_KERNEL_BASE, tinyKernel } from '../helpers/tiny-kernel.ts';
import { noKvm, orderArguments, runOrder, startProgram, temporaryDir } from '../helpers/vmm-process.ts';

/** A guest that prints and then works until it is ended. */
const ENDLESS = probeOrder('standard', 'hardware', 'honest', {
  boot: { kind: 'probe', flavour: 'honest', exits: 2 ** 31 },
});

/** `jmp $`, `ud2` without any handler, and `cli; hlt`. */
const SPIN = Uint8Array.of(0xeb, 0xfe);
const FAULT = Uint8Array.of(0x0f, 0x0b);
const PARK = Uint8Array.of(0xfa, 0xf4);

function kernelOrder(t: TestContext, code: Uint8Array, more: object = {}) {
  const path = join(temporaryDir(t), 'vmlinux');
  writeFileSync(path, tinyKernel(code));
  return { ...ENDLESS, boot: { kind: 'linux', kernel: { path } }, ...more };
}

describe('a running VM', { skip: noKvm() }, () => {
  test('answers its API, replays its console to every reader, and ends when it is stopped', async (t) => {
    const { args, dir } = orderArguments(t, ENDLESS);
    const { ready, done } = startProgram(args, dir);
    const line = await ready;
    const client = createClient(vmmRoutes, { socketPath: line.ready.api });
    const readers = [await readUntil(line.ready.console, 'intact'), await readUntil(line.ready.console, 'intact')];
    for (const text of readers) assert.match(text, /^probe: flavour honest/);
    const report = await client.getVm({});
    assert.equal(report.state, 'running');
    assert.ok(report.figures.resident > 0);
    const { events } = await client.listEvents({ query: {} });
    assert.ok(events.some(({ what }) => what === 'the guest is ready to run'));
    const stopped = await client.stopVm({});
    assert.deepEqual(stopped.ending, { reason: 'stopped' });
    const run = await done;
    assert.equal(run.code, 0);
    assert.equal(existsSync(line.ready.api), false);
  });

  test('shares its directory with no other VM', async (t) => {
    const { args, dir } = orderArguments(t, ENDLESS);
    const first = startProgram(args, dir);
    await first.ready;
    const second = await startProgram(args, dir).done;
    assert.equal(second.last?.error?.code, 'ALREADY_EXISTS');
    first.child.kill('SIGTERM');
    assert.equal((await first.done).last?.ending?.reason, 'stopped');
  });

  test('leaves no process when it is killed, and its directory can be used again', async (t) => {
    const { args, dir } = orderArguments(t, ENDLESS);
    const killed = startProgram(args, dir);
    await killed.ready;
    killed.child.kill('SIGKILL');
    await killed.done;
    assert.ok(readdirSync(dir).includes('api.sock'));
    const again = startProgram(args, dir);
    await again.ready;
    again.child.kill('SIGTERM');
    assert.equal((await again.done).code, 0);
  });

  test('ends with its parent where it was told so', async (t) => {
    const vmm = await startVmm({ order: ENDLESS, dir: temporaryDir(t) });
    process.kill(vmm.pid, 0);
    const { args, dir } = orderArguments(t, ENDLESS);
    const other = startProgram([...args, '--with-parent'], dir);
    await other.ready;
    other.child.stdin.end();
    assert.equal((await other.done).last?.ending?.reason, 'stopped');
    await createClient(vmmRoutes, { socketPath: vmm.apiSocket }).stopVm({});
    assert.deepEqual((await vmm.ended).report.ending, { reason: 'stopped' });
  });

  test('is ended when its time is over', async (t) => {
    const run = await runOrder(t, { ...ENDLESS, timeoutMs: 3_000 });
    assert.equal(run.last?.ending?.reason, 'timeout');
    assert.equal(run.code, CATALOGUE.GUEST_TIMEOUT.exit);
  });
});

describe('a guest that goes nowhere', { skip: noKvm() }, () => {
  test('is stuck when it turns at one place, which is named', async (t) => {
    const run = await runOrder(t, kernelOrder(t, SPIN, { stuckAfterMs: 2_000 }));
    assert.equal(run.last?.error?.code, 'GUEST_STUCK', run.stdout + run.stderr);
    assert.match(run.last?.ending?.detail ?? '', new RegExp(`RIP 0x${TINY_KERNEL_BASE.toString(16)}`));
    assert.equal(run.code, CATALOGUE.GUEST_STUCK.exit);
  });

  test('has crashed when it ends in a triple fault', async (t) => {
    const run = await runOrder(t, kernelOrder(t, FAULT));
    assert.equal(run.last?.error?.code, 'GUEST_CRASHED', run.stdout + run.stderr);
    assert.match(run.last?.ending?.detail ?? '', /triple fault/);
  });

  test('has switched itself off when it halts for good', async (t) => {
    const run = await runOrder(t, kernelOrder(t, PARK));
    assert.equal(run.last?.ending?.reason, 'power-off', run.stdout + run.stderr);
    assert.equal(run.code, 0);
  });
});

describe('startVmm', () => {
  test('rejects with the refusal of the VMM', async (t) => {
    const order = { ...ENDLESS, memoryBytes: 1 };
    await assert.rejects(startVmm({ order, dir: temporaryDir(t) }), { code: 'MEMORY_INVALID' });
  });
});

/** What a reader of the console has seen when `words` have come. */
async function readUntil(path: string, words: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(path);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes(words)) resolve(text);
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error(`the console closed after: ${text}`)));
  const seen = await promise;
  socket.destroy();
  return seen;
}
