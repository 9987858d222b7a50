import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assetPath } from '@unpin/test-host';
import { bootedAndSpoke } from '../test/boot-matrix/booted-and-spoke.ts';
import { runCase } from '../test/boot-matrix/driver.ts';
import { missing } from '../test/boot-matrix/emulated.ts';
import { childrenOf } from '../test/boot-matrix/find-in-sides.ts';

/** Milliseconds that the VMM may run, and is stopped, in turn: timers are due many times over when it goes on. */
const TURNS = [
  [10, 50],
  [100, 400],
  [20, 300],
] as const;

/** The VMM among the processes of a run; undefined before it is there and after it has gone. */
function vmmOf(pid: number): number | undefined {
  try {
    return childrenOf(pid)
      .map(Number)
      .find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('--with-parent'));
  } catch {
    return undefined;
  }
}

/** Stops and continues the VMM of a run until it is gone. */
async function starve(pid: number, runMs: number, stopMs: number): Promise<void> {
  for (let vmm = await firstVmm(pid); vmm !== undefined; vmm = vmmOf(pid)) {
    signal(vmm, 'SIGSTOP');
    await sleep(stopMs);
    signal(vmm, 'SIGCONT');
    await sleep(runMs);
  }
}

/** A VMM that has ended meanwhile is none to be stopped. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function firstVmm(pid: number): Promise<number | undefined> {
  for (let tries = 0; tries < 1000; tries++) {
    const vmm = vmmOf(pid);
    if (vmm !== undefined) return vmm;
    await sleep(20);
  }
  return undefined;
}

for (const kernel of ['kernel-6.12-cloud', 'kernel-5.10-cloud'] as const)
  for (const [runMs, stopMs] of TURNS) {
    const bootCase = { kernel, type: 'sev', args: ['--kvm', 'software', '--timeout', '800'] } as const;
    const name = `${kernel} boots though its VMM runs ${runMs} ms and is stopped for ${stopMs} ms in turn`;
    test(name, { skip: missing([bootCase]) }, async (t) => {
      let starving: Promise<void> | undefined;
      const kernelFile = assetPath(kernel);
      const result = await runCase(0, { ...bootCase, kernelFile }, assetPath('initrd-shell'), (pid) => {
        starving = starve(pid, runMs, stopMs);
      });
      await starving;
      bootedAndSpoke(result);
      t.diagnostic(`${result.seconds.toFixed(1)} s`);
    });
  }
