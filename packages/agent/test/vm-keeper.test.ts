import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DecisionMessage, type DesiredVm, UnpinError } from '@unpin/contract';
import { decide, vmType } from '@unpin/policy';
import { runningVms } from '../src/index.ts';
import { probeVerdict } from '../src/inspection/probe-verdict.ts';
import { isAlive, processOf } from '../src/vms/processes.ts';
import { type KeeperDeps, VmKeeper } from '../src/vms/vm-keeper.ts';
import { STAND_IN } from './support/machine.ts';

const verdict = probeVerdict('honest', '0.1.0');

function stateOf(t: TestContext, name: string) {
  const stateDir = mkdtempSync(join(tmpdir(), 'unpin-a-'));
  t.after(() => {
    for (const { pid } of runningVms(stateDir)) process.kill(pid, 'SIGKILL');
    rmSync(stateDir, { recursive: true, force: true });
  });
  const vm = (desired: DesiredVm['desired']): DesiredVm => ({
    name,
    uid: 'u',
    desired,
    image: 'probe',
    boot: { kind: 'probe', flavour: 'honest' },
    bootSet: verdict.bootSet.digest,
    type: 'standard',
    execution: 'hardware',
    memoryBytes: 2 ** 26,
    decision: decide(vmType('standard'), verdict) as DecisionMessage,
  });
  return { stateDir, vm };
}

function keeperOf(stateDir: string, change: Partial<KeeperDeps> = {}): VmKeeper {
  return new VmKeeper('u', {
    stateDir,
    vmm: STAND_IN,
    prepare: async () => ({ verdict }),
    now: () => 0,
    ending: new AbortController().signal,
    ...change,
  });
}

/** A VM that runs, and a clock that the test turns. */
async function running(t: TestContext, name: string) {
  const { stateDir, vm } = stateOf(t, name);
  const clock = { now: 0 };
  const keeper = keeperOf(stateDir, { now: () => clock.now });
  let status = await keeper.step(vm('running'));
  while (status.report === undefined) {
    await sleep(20);
    status = await keeper.step(vm('running'));
  }
  const process_ = processOf(status.report.pid);
  assert.ok(process_ !== undefined);
  /** Steps towards the stop until the process is gone. */
  const untilGone = async () => {
    let last = await keeper.step(vm('stopped'));
    while (isAlive(process_)) {
      await sleep(20);
      last = await keeper.step(vm('stopped'));
    }
    return { last, final: await keeper.step(vm('stopped')) };
  };
  return { clock, keeper, vm, process: process_, untilGone };
}

test('a VMM that hears is stopped by its API, and what it says last is its end', async (t) => {
  const { untilGone } = await running(t, 'web');
  const { final } = await untilGone();
  assert.deepEqual([final.state, final.ending?.reason], ['ended', 'stopped']);
});

test('a VMM that does not hear is let be for its grace, then killed, and that is no orderly end', async (t) => {
  const { clock, keeper, vm, process, untilGone } = await running(t, 'deaf');
  for (const now of [0, 1000, 39_000, 41_000, 59_000]) {
    clock.now = now;
    assert.equal((await keeper.step(vm('stopped'))).state, 'running');
    assert.ok(isAlive(process), `${now} ms`);
  }
  clock.now = 60_000;
  const { final } = await untilGone();
  assert.deepEqual([final.state, final.error?.code], ['failed', 'VMM_DIED']);
});

test('an agent that ends while it judges a boot set leaves the start to the next one', async (t) => {
  const { stateDir, vm } = stateOf(t, 'quick');
  const ending = new AbortController();
  const keeper = keeperOf(stateDir, {
    ending: ending.signal,
    prepare: async () => {
      ending.abort();
      throw new Error('killed');
    },
  });
  await assert.rejects(keeper.step(vm('running')), /killed/);
  const next = await keeperOf(stateDir).step(vm('running'));
  assert.deepEqual([next.state, next.error], ['preparing', undefined]);
});

test('a boot set that cannot be judged is a refusal that stands', async (t) => {
  const { stateDir, vm } = stateOf(t, 'quick');
  assert.equal((await keeperOf(stateDir, { prepare: notAKernel }).step(vm('running'))).error?.code, 'NOT_A_KERNEL');
  assert.equal((await keeperOf(stateDir).step(vm('running'))).error?.code, 'NOT_A_KERNEL');
});

async function notAKernel(): Promise<never> {
  throw new UnpinError('NOT_A_KERNEL', { subject: '/k' });
}
