import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { LaunchOrder, VmmLastLine } from '@unpin/contract';
import { regimeOf, vmType } from '@unpin/policy';
import { assetPath, busyboxInitrd, keptCode, startTestHost } from '@unpin/test-host';
import { vmmProgram } from '@unpin/vmm';
import { missingFor } from './boot-matrix/in-test-host.ts';
import { whileHostsDie } from './boot-matrix/while-hosts-die.ts';

const skip = missingFor('host-6.12', [{ kernel: 'kernel-6.12-cloud', type: 'sev-upm' }]);

test('a VM that nobody watched leaves its conversions with the symbols of the kernel', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-conversions-'));
  try {
    const initrd = join(folder, 'initrd');
    const busybox = readFileSync(assetPath('busybox-static'));
    writeFileSync(initrd, busyboxInitrd({ busybox, init: '#!/bin/sh\npoweroff -f\n' }));
    const order: LaunchOrder = {
      contract: 1,
      name: 'unwatched',
      type: 'sev-upm',
      regime: regimeOf(vmType('sev-upm')),
      execution: 'shaped',
      memoryBytes: 512 * 2 ** 20,
      boot: { kind: 'linux', kernel: { path: assetPath('kernel-6.12-cloud') }, initrd: { path: initrd } },
      timeoutMs: 900_000,
    };
    const file = join(folder, 'order.json');
    writeFileSync(file, JSON.stringify(order));
    const { exitCode, last } = await whileHostsDie(() => runVmm(file));
    assert.equal(exitCode, 0, last);
    const { conversions = [] } = JSON.parse(last) as VmmLastLine;
    assert.ok(conversions.length > 500, `${conversions.length} conversions`);
    const unnamed = conversions.filter(({ symbol }) => !/^\w+\+0x[0-9a-f]+$/.test(symbol ?? ''));
    assert.deepEqual(unnamed, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** As an agent starts it: without a parent that it ends with. Answers the last line. */
async function runVmm(order: string): Promise<{ readonly exitCode: number; readonly last: string }> {
  const stdout = new PassThrough();
  const printed = text(stdout);
  const { exitCode } = await startTestHost({
    kernel: 'host-6.12',
    command: [process.execPath, vmmProgram(), '--dir', '/tmp/vm', '--order', order],
    env: { ...process.env, ...keptCode() },
    memoryMiB: 2560,
    stdin: 'ignore',
    stdout,
    timeoutMs: 1_200_000,
  });
  stdout.end();
  return { exitCode, last: (await printed).trimEnd().split('\n').at(-1) ?? '' };
}
