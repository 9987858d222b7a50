import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openLinuxKvm } from '../src/linux/index.ts';
import type { Kicker, KickTarget } from '../src/port/vcpu.ts';
import type { ExitThreadData } from './helpers/exit-thread.ts';
import { noPeer, Peer } from './helpers/peer.ts';
import { type BenchResult, compare, median } from './helpers/result.ts';

/** A round is STRETCHES of EXITS each, and counts by its fastest: one that nothing else on the machine cut into. */
const EXITS = 200;
const STRETCHES = 10;
const ROUNDS = 60;
const KICKS = 100;
const LIMIT_MS = 60_000;
const GOAL = 0.95;

/** One vCPU's thread of ours, with a watchdog on every run. */
class Thread {
  readonly #worker: Worker;
  readonly #kvm = openLinuxKvm();
  readonly times = new BigInt64Array(new SharedArrayBuffer(16));
  kicker: Kicker | null = null;

  constructor(guest: ExitThreadData['guest']) {
    const workerData: ExitThreadData = { guest, exits: EXITS, stretches: STRETCHES, times: this.times };
    this.#worker = new Worker(new URL('helpers/exit-thread.ts', import.meta.url), { workerData });
  }

  async start(): Promise<void> {
    const { target } = await this.#next<{ target: KickTarget }>();
    this.kicker = this.#kvm.openKicker(target);
  }

  async round(): Promise<number> {
    this.#worker.postMessage('round');
    return (await this.#next<{ seconds: number }>()).seconds;
  }

  /** Microseconds from the kick to the end of the run. */
  async kick(): Promise<number> {
    this.#worker.postMessage('kick me');
    await this.#next();
    await sleep(2);
    const start = process.hrtime.bigint();
    this.kicker?.kick();
    await this.#next();
    return Number((this.times[1] ?? 0n) - start) / 1000;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
    this.#kvm.close();
  }

  async #next<T>(): Promise<T> {
    const watchdog = setTimeout(() => this.kicker?.kick(), LIMIT_MS);
    try {
      const [message] = (await once(this.#worker, 'message')) as [T];
      return message;
    } finally {
      clearTimeout(watchdog);
    }
  }
}

async function exitsPerSecond(guest: 'port' | 'mmio', name: string): Promise<BenchResult> {
  const peer = new Peer('exits.c', [guest, String(EXITS), String(STRETCHES)]);
  const thread = new Thread(guest);
  try {
    await thread.start();
    await peer.round();
    await thread.round();
    const rounds: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    for (let round = 0; round < ROUNDS; round++) {
      rounds.peer.push(EXITS / (await peer.round()));
      rounds.ours.push(EXITS / (await thread.round()));
    }
    return compare(name, 'exits/s', rounds, GOAL);
  } finally {
    peer.close();
    await thread.close();
  }
}

async function kickLatency(): Promise<BenchResult> {
  const thread = new Thread('spin');
  try {
    await thread.start();
    const latencies: number[] = [];
    for (let count = 0; count < KICKS; count++) latencies.push(await thread.kick());
    return {
      name: 'a kick to the end of the run, p50',
      unit: 'µs',
      ours: median(latencies),
      note: `${KICKS} kicks of a guest that never exits`,
    };
  } finally {
    await thread.close();
  }
}

export const bench = {
  title: 'Exits of KVM_RUN, beside the same loop in C',
  unavailable: noPeer,
  async run(progress: (text: string) => void): Promise<readonly BenchResult[]> {
    const results: BenchResult[] = [];
    for (const guest of ['port', 'mmio'] as const) {
      progress(`${guest} writes, ${ROUNDS} rounds of ${EXITS * STRETCHES} exits on each side`);
      results.push(await exitsPerSecond(guest, guest === 'port' ? 'port write' : 'write without memory (MMIO)'));
    }
    progress(`${KICKS} kicks`);
    results.push(await kickLatency());
    return results;
  },
};
