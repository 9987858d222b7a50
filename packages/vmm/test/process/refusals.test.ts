import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CATALOGUE, type ErrorCode, type LaunchOrder } from '@unpin/contract';
import { regimeOf, vmType } from '@unpin/policy';
import { MIB, probeOrder } from '../helpers/orders.ts';
import { noKvm, runOrder, runProgram, temporaryDir } from '../helpers/vmm-process.ts';

const HONEST = probeOrder('standard', 'hardware', 'honest');
const HUGE = 2 ** 50;

/** What is wrong with the order, and what the VMM must call it. */
const BAD_ORDERS: readonly (readonly [what: string, order: unknown, code: ErrorCode])[] = [
  ['text that is no JSON', '{"contract":1,', 'LAUNCH_ORDER_INVALID'],
  ['JSON that is no order', '[]', 'LAUNCH_ORDER_INVALID'],
  ['another contract', { ...HONEST, contract: 2 }, 'LAUNCH_ORDER_INVALID'],
  ['a name that is none', { ...HONEST, name: '../x' }, 'LAUNCH_ORDER_INVALID'],
  ['an unknown type', { ...HONEST, type: 'sev-next' }, 'VM_TYPE_UNKNOWN'],
  [
    'a regime of another version',
    { ...HONEST, regime: { ...HONEST.regime, pinning: 'upfront' } },
    'LAUNCH_ORDER_MISMATCH',
  ],
  ["another type's regime", { ...HONEST, regime: regimeOf(vmType('sev')) }, 'LAUNCH_ORDER_MISMATCH'],
  ['an execution that the type has not', { ...HONEST, execution: 'shaped' }, 'VM_TYPE_UNAVAILABLE'],
  ['a type that is not built', probeOrder('sev-es-upm', 'emulated', 'honest'), 'VM_TYPE_NOT_BUILT'],
  ['memory of 0', { ...HONEST, memoryBytes: 0 }, 'MEMORY_INVALID'],
  ['memory that is not whole 2 MiB', { ...HONEST, memoryBytes: 64 * MIB + 4096 }, 'MEMORY_INVALID'],
  ['memory far beyond the host', { ...HONEST, memoryBytes: HUGE }, 'MEMORY_EXCEEDS_HOST'],
  ['pinned memory beyond the host', pinned(HUGE), 'MEMORY_EXCEEDS_HOST'],
  [
    'probation that falls back to an unpinned type',
    {
      ...probeOrder('sev-upm', 'shaped', 'honest'),
      probation: { fallback: 'standard', fallbackRegime: HONEST.regime },
    },
    'LAUNCH_ORDER_INVALID',
  ],
  [
    'a kernel that is not there',
    { ...HONEST, boot: { kind: 'linux', kernel: { path: '/nowhere/vmlinuz' } } },
    'FILE_NOT_FOUND',
  ],
  ['a kernel that is a folder', { ...HONEST, boot: { kind: 'linux', kernel: { path: '/' } } }, 'FILE_UNREADABLE'],
];

function kernelOf(path: string, more: object = {}) {
  return { ...HONEST, boot: { kind: 'linux', kernel: { path, ...more } } };
}

function pinned(memoryBytes: number): LaunchOrder {
  return probeOrder('standard-pinned', 'hardware', 'honest', { memoryBytes });
}

describe('an order is refused, with the catalogue’s code and exit status, for', () => {
  for (const [what, order, code] of BAD_ORDERS)
    test(what, async (t) => {
      const run = await runOrder(t, order);
      assert.equal(run.last?.error?.code, code, run.stdout + run.stderr);
      assert.equal(run.code, CATALOGUE[code].exit);
      assert.equal(run.ready, undefined);
    });

  test('a file that is not there', async (t) => {
    const run = await runProgram(['--dir', temporaryDir(t), '--order', '/nowhere/order.json']);
    assert.equal(run.last?.error?.code, 'FILE_NOT_FOUND');
  });
});

describe('a boot set is refused after its bytes were read, for', () => {
  test('a file that is no kernel', { skip: noKvm() }, async (t) => {
    const path = join(temporaryDir(t), 'vmlinuz');
    writeFileSync(path, 'not a kernel'.repeat(1000));
    const run = await runOrder(t, kernelOf(path));
    assert.equal(run.last?.error?.code, 'NOT_A_KERNEL', run.stdout + run.stderr);
    assert.equal(run.code, CATALOGUE.NOT_A_KERNEL.exit);
    assert.equal(run.last?.ending?.reason, 'failed');
  });

  test('bytes that are not the judged ones', { skip: noKvm() }, async (t) => {
    const path = join(temporaryDir(t), 'vmlinuz');
    writeFileSync(path, 'something else by now');
    const run = await runOrder(t, kernelOf(path, { sha256: '0'.repeat(64) }));
    assert.equal(run.last?.error?.code, 'BOOT_SET_CHANGED', run.stdout + run.stderr);
    assert.equal(run.code, CATALOGUE.BOOT_SET_CHANGED.exit);
  });
});

describe('the command line', () => {
  test('is explained by --help', async () => {
    const run = await runProgram(['--help']);
    assert.equal(run.code, 0);
    assert.match(run.stdout, /--capabilities[\s\S]*--order/);
  });

  for (const args of [[], ['--dir', '/tmp/x'], ['--order', '-'], ['--frobnicate']])
    test(`refuses ${JSON.stringify(args)}`, async () => {
      const run = await runProgram(args);
      assert.equal(run.code, CATALOGUE.USAGE.exit);
      assert.match(run.stderr, /next: unpin-vmm --help/);
    });
});
