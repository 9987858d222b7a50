import { mkdtempSync, rmSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchOrder } from '@unpin/contract';
import { regimeOf, vmType } from '@unpin/policy';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';
import { queryCapabilities, startVmm } from '../src/index.ts';

const GIB = 2 ** 30;
const SIZES_GIB = [1, 2, 4, 8, 16];
/** Sizes alternate within a round, so that a slow minute of the machine falls on all of them; the fastest start counts. */
const ROUNDS = 5;
const TYPES = ['sev', 'sev-upm'] as const;
type Compared = (typeof TYPES)[number];

/** Milliseconds from the VMM process's start to the first guest instruction, and of that, pinning. */
interface Start {
  readonly gib: number;
  readonly ms: number;
}

/**
 * Start to first instruction against nominal memory, pinned and not, alternating in one run. The guest is the probe, so
 * that it runs on every KVM; what is measured ends before its first instruction.
 */
export const bench: Bench = {
  title: 'start to first instruction, by nominal memory (probe guest, SHAPED)',
  async unavailable() {
    const { types } = await queryCapabilities();
    const missing = TYPES.filter(
      (id) => !types.some((t) => t.type === id && t.ways.some((way) => way.execution !== 'emulated')),
    );
    return missing.length === 0 ? undefined : `this machine runs no ${missing.join(' and no ')}`;
  },
  async run(progress) {
    const sizes = SIZES_GIB.filter((gib) => gib * GIB < freemem() * 0.8);
    // Once unmeasured: memory that the machine itself has never backed is many times slower to pin.
    await start('sev', Math.max(...sizes));
    const fastest = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const gib of sizes)
        for (const type of TYPES) {
          const key = `${type} ${gib}`;
          fastest.set(key, Math.min(fastest.get(key) ?? Number.POSITIVE_INFINITY, await start(type, gib)));
        }
      progress(`round ${round + 1} of ${ROUNDS}`);
    }
    const of = (type: Compared): Start[] =>
      sizes.map((gib) => ({ gib, ms: fastest.get(`${type} ${gib}`) ?? Number.NaN }));
    const starts = { sev: of('sev'), 'sev-upm': of('sev-upm') };
    return resultsOf(
      starts,
      sizes.length < SIZES_GIB.length ? `up to ${Math.max(...sizes)} GiB: no room for more` : undefined,
    );
  },
};

function resultsOf(starts: Record<Compared, Start[]>, note: string | undefined): BenchResult[] {
  const pinned = slope(starts.sev);
  const unpinned = slope(starts['sev-upm']);
  const rows: BenchResult[] = starts['sev-upm'].map(({ gib, ms }, i) => {
    const peer = starts.sev[i]?.ms ?? Number.NaN;
    return { name: `${gib} GiB, sev-upm beside sev`, unit: 'ms', ours: ms, peer, ratio: ms / peer };
  });
  const growth = { name: 'growth with memory, sev-upm beside sev', unit: 'ms/GB', ours: unpinned, peer: pinned };
  const goal = { goal: '≤ 0.6 ms/GB unpinned', met: unpinned <= 0.6 };
  return [...rows, { ...growth, ratio: unpinned / pinned, ...goal, ...(note === undefined ? {} : { note }) }];
}

/** Least squares over (GB, ms); GB are decimal, as in the figures of 2022 that this answers. */
function slope(points: readonly Start[]): number {
  const xs = points.map((p) => (p.gib * GIB) / 1e9);
  const meanX = xs.reduce((a, b) => a + b, 0) / xs.length;
  const meanY = points.reduce((a, p) => a + p.ms, 0) / points.length;
  const top = points.reduce((a, p, i) => a + ((xs[i] ?? 0) - meanX) * (p.ms - meanY), 0);
  return top / xs.reduce((a, x) => a + (x - meanX) ** 2, 0);
}

async function start(type: Compared, gib: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-bench-'));
  const order: LaunchOrder = {
    contract: 1,
    name: 'bench',
    type,
    regime: regimeOf(vmType(type)),
    execution: 'shaped',
    memoryBytes: gib * GIB,
    boot: { kind: 'probe', flavour: 'honest' },
    timeoutMs: 120_000,
  };
  try {
    const vmm = await startVmm({ order, dir });
    const { report } = await vmm.ended;
    if (report.figures.startMs === undefined) throw new Error(`no first instruction: ${JSON.stringify(report.ending)}`);
    return report.figures.startMs;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
