import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LaunchOrder, VmmLastLine } from '@unpin/contract';
import { regimeOf, vmType } from '@unpin/policy';
import { assetPath, busyboxInitrd } from '@unpin/test-host';
import { vmmProgram } from '@unpin/vmm';
import { missing } from './boot-matrix/emulated.ts';

/** A bound on what hangs: a boot takes ten seconds on a core of its own. */
const LIMIT_MS = 400_000;

const skip = missing([{ kernel: 'kernel-6.12-cloud', type: 'sev-upm' }]);

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
      execution: 'emulated',
      memoryBytes: 512 * 2 ** 20,
      boot: { kind: 'linux', kernel: { path: assetPath('kernel-6.12-cloud') }, initrd: { path: initrd } },
      timeoutMs: LIMIT_MS,
    };
    const file = join(folder, 'order.json');
    writeFileSync(file, JSON.stringify(order));
    const { exitCode, last } = await runVmm(file, join(folder, 'vm'));
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
function runVmm(order: string, dir: string): Promise<{ readonly exitCode: number; readonly last: string }> {
  const args = [vmmProgram(), '--dir', dir, '--order', order];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { timeout: LIMIT_MS, maxBuffer: 2 ** 26 }, (_, stdout) =>
      resolve({ exitCode: child.exitCode ?? -1, last: stdout.trimEnd().split('\n').at(-1) ?? '' }),
    );
  });
}
