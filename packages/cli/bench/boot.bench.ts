import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchOrder } from '@unpin/contract';
import { unpackKernel } from '@unpin/image/kernel';
import { regimeOf, vmType } from '@unpin/policy';
import { assetPath, findAsset, plainQemu } from '@unpin/test-host';
import { startVmm } from '@unpin/vmm';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';

const ROUNDS = 3;
const LIMIT_MS = 300_000;
const MEMORY_MIB = 512;
/** Without what only waits or tests itself: the same for both. User space is one busybox that switches off. */
const COMMAND_LINE =
  'quiet mitigations=off tsc=reliable cryptomgr.notests=1 no_timer_check nokaslr init_on_alloc=0 apparmor=0 selinux=0 audit=0 rdinit=/bin/busybox -- poweroff -f';
const TYPES = ['standard', 'sev', 'sev-upm'] as const;

/**
 * From the start of the VMM's process to its end, by the software KVM and by QEMU's TCG in turn: the same kernel,
 * entered decompressed, the same initramfs, one vCPU.
 */
export const bench: Bench = {
  title: 'Debian 6.12 from nothing to power-off: the software KVM beside QEMU TCG',
  unavailable() {
    const missing = (['kernel-6.12-cloud', 'initrd-shell', 'qemu'] as const).filter(
      (id) => findAsset(id) === undefined,
    );
    return missing.length === 0 ? undefined : `not fetched: ${missing.join(', ')} (unpin test-host fetch)`;
  },
  async run(progress) {
    const dir = mkdtempSync(join(tmpdir(), 'unpin-bench-'));
    try {
      const vmlinux = join(dir, 'vmlinux');
      writeFileSync(vmlinux, unpackKernel(readFileSync(assetPath('kernel-6.12-cloud'))).image);
      const fastest = new Map<string, number>();
      const note = (key: string, ms: number) => fastest.set(key, Math.min(fastest.get(key) ?? ms, ms));
      for (let round = 1; round <= ROUNDS; round++) {
        note('qemu', timeQemu(vmlinux));
        for (const type of TYPES) note(type, await timeOurs(type, dir));
        progress(`round ${round} of ${ROUNDS}`);
      }
      const peer = fastest.get('qemu') ?? Number.NaN;
      return TYPES.map((type): BenchResult => {
        const ours = fastest.get(type) ?? Number.NaN;
        const ratio = ours / peer;
        const row = { name: `${type}, emulated, beside QEMU TCG`, unit: 'ms', ours, peer, ratio };
        return type === 'standard' ? { ...row, goal: '≤ 3.0 times QEMU TCG', met: ratio <= 3 } : row;
      });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

function timeQemu(vmlinux: string): number {
  const line = `console=ttyS0 reboot=k panic=-1 ${COMMAND_LINE}`;
  const { program, args, env } = plainQemu(
    [
      ['-no-user-config', '-nodefaults', '-no-reboot', '-display', 'none', '-M', 'q35', '-accel', 'tcg'],
      ['-m', `${MEMORY_MIB}M`, '-kernel', vmlinux, '-initrd', assetPath('initrd-shell')],
      ['-append', line, '-serial', 'stdio'],
    ].flat(),
  );
  const begin = performance.now();
  const { stdout, status } = spawnSync(program, args, { env, timeout: LIMIT_MS, stdio: ['ignore', 'pipe', 'inherit'] });
  const ms = performance.now() - begin;
  if (status !== 0 || !stdout.includes('Power down'))
    throw new Error(`QEMU ended with ${status}: ${stdout.toString()}`);
  return ms;
}

async function timeOurs(type: (typeof TYPES)[number], dir: string): Promise<number> {
  const order: LaunchOrder = {
    contract: 1,
    name: 'bench',
    type,
    regime: regimeOf(vmType(type)),
    execution: 'emulated',
    memoryBytes: MEMORY_MIB * 2 ** 20,
    boot: {
      kind: 'linux',
      kernel: { path: assetPath('kernel-6.12-cloud') },
      initrd: { path: assetPath('initrd-shell') },
      commandLine: COMMAND_LINE,
    },
    timeoutMs: LIMIT_MS,
  };
  const begin = performance.now();
  const vmm = await startVmm({ order, dir });
  const { report } = await vmm.ended;
  if (report.ending?.reason !== 'power-off') throw new Error(`${type}: ${JSON.stringify(report.ending)}`);
  return performance.now() - begin;
}
