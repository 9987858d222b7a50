import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LaunchOrder, vmmRoutes } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { regimeOf, vmType } from '@unpin/policy';
import { assetPath, findAsset } from '@unpin/test-host';
import { type RunningVmm, startVmm } from '@unpin/vmm';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';

const ROUNDS = 3;
const LIMIT_MS = 300_000;
const TYPES = ['standard', 'sev', 'sev-upm'] as const;
const GOAL_MS = 1000;
const PROMPT = '/root # ';

/**
 * A Debian of 512 MiB at its shell, by the software KVM: how long it stands still to be saved, and how long it takes from
 * the start of a new VMM process until it executes its next instruction. The file stays in the page cache.
 */
export const bench: Bench = {
  title: 'Debian 6.12 at its shell: saved, and restored in a new process',
  unavailable() {
    const missing = (['kernel-6.12-cloud', 'initrd-shell'] as const).filter((id) => findAsset(id) === undefined);
    return missing.length === 0 ? undefined : `not fetched: ${missing.join(', ')} (unpin test-host fetch)`;
  },
  async run(progress) {
    const results: BenchResult[] = [];
    for (const type of TYPES) {
      const dir = mkdtempSync(join(tmpdir(), 'unpin-bench-'));
      try {
        const path = join(dir, 'snapshot');
        const order = orderOf(type);
        const saved = await save(order, dir, path);
        const restored: number[] = [];
        for (let round = 0; round < ROUNDS; round++) restored.push(await restore({ ...order, restore: { path } }, dir));
        const note = `a file of ${Math.round(statSync(path).size / 2 ** 20)} MiB`;
        results.push(row(`${type}: saved`, saved, note), row(`${type}: start to next instruction`, restored, note));
        progress(type);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    }
    return results;
  },
};

function row(name: string, milliseconds: readonly number[], note: string): BenchResult {
  const ours = Math.min(...milliseconds);
  return { name, unit: 'ms', ours, goal: `< ${GOAL_MS} ms`, met: ours < GOAL_MS, note };
}

function orderOf(type: (typeof TYPES)[number]): LaunchOrder {
  const [kernel, initrd] = [{ path: assetPath('kernel-6.12-cloud') }, { path: assetPath('initrd-shell') }];
  return {
    contract: 1,
    name: 'bench',
    type,
    regime: regimeOf(vmType(type)),
    execution: 'emulated',
    memoryBytes: 512 * 2 ** 20,
    boot: { kind: 'linux', kernel, initrd, commandLine: 'quiet' },
    timeoutMs: LIMIT_MS,
  };
}

async function save(order: LaunchOrder, dir: string, path: string): Promise<readonly number[]> {
  const vmm = await startVmm({ order, dir });
  const client = createClient(vmmRoutes, { socketPath: vmm.apiSocket });
  await prompted(vmm);
  const taken: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const { milliseconds } = await client.takeSnapshot({ body: { path, stop: round === ROUNDS } });
    taken.push(milliseconds);
  }
  await vmm.ended;
  return taken;
}

async function restore(order: LaunchOrder, dir: string): Promise<number> {
  const vmm = await startVmm({ order, dir });
  const client = createClient(vmmRoutes, { socketPath: vmm.apiSocket });
  await prompted(vmm);
  let startMs: number | undefined;
  while (startMs === undefined) ({ startMs } = (await client.getVm({})).figures);
  await client.stopVm({});
  await vmm.ended;
  return startMs;
}

/** Waits until the shell's prompt is on the console, now or from before it was saved. */
async function prompted({ consoleSocket, ended }: RunningVmm): Promise<void> {
  const socket = connect(consoleSocket);
  let heard = '';
  const seen = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.includes(PROMPT)) resolve();
    });
  });
  const first = await Promise.race([seen, ended]);
  socket.destroy();
  if (first !== undefined) throw new Error(`it ended: ${heard.slice(-500)}`);
}
