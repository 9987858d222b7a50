import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LaunchOrder, vmmRoutes } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import type { Vcpu, VcpuExit } from '@unpin/kvm';
import { type Execution, regimeOf, vmType } from '@unpin/policy';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';
import { queryCapabilities, startVmm } from '../src/index.ts';
import { ControlBlock } from '../src/machine/control-block.ts';
import { TraceBuffer } from '../src/trace/trace-buffer.ts';
import { Tracer } from '../src/trace/tracer.ts';

/** Both loops alternate, and each counts by its fastest stretch: one that nothing else on the machine cut into. */
const LOOPS = 1_000_000;
const STRETCHES = 40;
/** Windows of a running guest, traced and not in turn. */
const WINDOWS = 6;
const WINDOW_MS = 1_000;

/** What tracing costs a guest that makes exits as fast as it can: nothing but a look an exit, until someone traces. */
export const bench: Bench = {
  title: 'tracing: what it costs while nobody traces, and while someone does',
  async unavailable() {
    return (await execution()) === undefined ? 'this machine runs no standard VM' : undefined;
  },
  async run(progress) {
    progress('exits of a running guest, traced and not in turn');
    const { traced, untraced } = await rates((await execution()) ?? 'hardware');
    progress('the look, by itself');
    const look = lookNs();
    const exitNs = 1e9 / untraced;
    const rows: BenchResult[] = [
      {
        name: 'the look whether anyone traces, of a whole exit',
        unit: 'ns',
        ours: look,
        peer: exitNs,
        ratio: look / exitNs,
        goal: '≤ 0.01 of an exit',
        met: look / exitNs <= 0.01,
      },
      {
        name: 'exits while they are traced and read',
        unit: 'exits/s',
        ours: traced,
        peer: untraced,
        ratio: traced / untraced,
      },
    ];
    return rows;
  },
};

async function execution(): Promise<Execution | undefined> {
  const { types } = await queryCapabilities();
  return types.find(({ type }) => type === 'standard')?.ways[0]?.execution;
}

/** Exits a second in the best window of each kind. */
async function rates(how: Execution): Promise<{ traced: number; untraced: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-bench-'));
  const order: LaunchOrder = {
    contract: 1,
    name: 'bench',
    type: 'standard',
    regime: regimeOf(vmType('standard')),
    execution: how,
    memoryBytes: 64 * 2 ** 20,
    boot: { kind: 'probe', flavour: 'honest', exits: 2 ** 31 },
    timeoutMs: 120_000,
  };
  const vmm = await startVmm({ order, dir });
  try {
    const client = createClient(vmmRoutes, { socketPath: vmm.apiSocket });
    const exits = async () => (await client.getVm({})).figures.exits['io'] ?? 0;
    const window = async () => {
      const [before, start] = [await exits(), performance.now()];
      await sleep(WINDOW_MS);
      return ((await exits()) - before) / ((performance.now() - start) / 1000);
    };
    let untraced = await window();
    let traced = 0;
    for (let round = 0; round < WINDOWS; round++) {
      const { trace, since } = await client.startTrace({ body: { kinds: ['exits'] } });
      const over = new AbortController();
      const reading = (async () => {
        for (let next = since; !over.signal.aborted; ) {
          ({ next } = await client.readTrace({ params: { trace }, query: { since: next, waitMs: 100 } }));
          await sleep(50);
        }
      })();
      traced = Math.max(traced, await window());
      over.abort();
      await reading;
      await client.endTrace({ params: { trace }, query: { since: Number.MAX_SAFE_INTEGER } });
      untraced = Math.max(untraced, await window());
    }
    return { traced, untraced };
  } finally {
    vmm.kill();
    await vmm.ended.catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  }
}

const EXITS: readonly VcpuExit[] = [
  { kind: 'io', direction: 'out', port: 0x80, size: 1, count: 1, data: new Uint8Array(1) },
  { kind: 'mmio', gpa: 0xfee0_0000, size: 4, isWrite: true, data: new Uint8Array(4) },
];

/** Nanoseconds that the look adds to the rest of the run loop. */
function lookNs(): number {
  const control = new ControlBlock();
  const tracer = new Tracer({} as Vcpu, control, TraceBuffer.create(64));
  let plain = Number.POSITIVE_INFINITY;
  let looking = Number.POSITIVE_INFINITY;
  for (let stretch = 0; stretch < STRETCHES; stretch++) {
    plain = Math.min(
      plain,
      timed(() => loopWithoutLook(control)),
    );
    looking = Math.min(
      looking,
      timed(() => loop(control, tracer)),
    );
  }
  return Math.max(0, looking - plain);
}

/** Nanoseconds a loop. */
function timed(work: () => number): number {
  const start = performance.now();
  if (work() === 0) throw new Error('nothing was done');
  return ((performance.now() - start) * 1e6) / LOOPS;
}

function loop(control: ControlBlock, tracer: Tracer): number {
  let sum = 0;
  for (let n = 0; n < LOOPS; n++) {
    const exit = EXITS[n & 1] as VcpuExit;
    control.countExit(exit.kind);
    const { traced } = control;
    if (traced !== 0) tracer.begin(traced, exit);
    sum += handle(exit);
    if (traced !== 0) tracer.end();
  }
  return sum;
}

function loopWithoutLook(control: ControlBlock): number {
  let sum = 0;
  for (let n = 0; n < LOOPS; n++) {
    const exit = EXITS[n & 1] as VcpuExit;
    control.countExit(exit.kind);
    sum += handle(exit);
  }
  return sum;
}

function handle(exit: VcpuExit): number {
  return exit.kind === 'io' ? exit.port : exit.kind === 'mmio' ? exit.size : 1;
}
