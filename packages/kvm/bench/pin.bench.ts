import { readFileSync } from 'node:fs';
import { openLinuxKvm, pinParallel } from '../src/linux/index.ts';
import { noPeer, Peer } from './helpers/peer.ts';
import { type BenchResult, compare } from './helpers/result.ts';

const GiB = 2 ** 30;
/** Pages of 4 KiB take ten times as long. */
const SMALL_PAGES_BYTES = GiB;
const THREADS = 2;
const ROUNDS = { huge: 15, small: 9 } as const;
const GOAL = 0.8;
/** Small pins, as a guest that is pinned on fault takes them. */
const SMALL_BYTES = 2 << 20;

/** A quarter of what is free, at most 8 GiB: pinning what swaps others out would measure that. */
function benchBytes(): number {
  const available = Number(/^MemAvailable:\s*(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? '0') * 1024;
  return Math.max(GiB, Math.min(8 * GiB, Math.floor(available / 4 / GiB) * GiB));
}

/** Seconds of one round of ours, on memory that was never touched, threads started in it. */
async function pinOnce(bytes: number, hugePages: boolean): Promise<number> {
  const kvm = openLinuxKvm();
  const memory = kvm.allocate(bytes, { hugePages });
  const start = process.hrtime.bigint();
  const pin = await pinParallel([{ memory, offset: 0, length: bytes }], { threads: THREADS });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  pin.release();
  memory.close();
  kvm.close();
  return seconds;
}

async function pinRate(bytes: number, hugePages: boolean): Promise<BenchResult> {
  const peer = new Peer('pins.c', [String(bytes), String(THREADS), hugePages ? '1' : '0']);
  try {
    // Memory that the machine's own host has not backed yet is ten times slower: the first round is for nobody.
    await peer.round();
    await pinOnce(bytes, hugePages);
    const rounds: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
    for (let round = 0; round < (hugePages ? ROUNDS.huge : ROUNDS.small); round++) {
      rounds.peer.push(bytes / 1e9 / (await peer.round()));
      rounds.ours.push(bytes / 1e9 / (await pinOnce(bytes, hugePages)));
    }
    const name = `pinning ${bytes / GiB} GiB, ${hugePages ? 'huge pages' : '4 KiB pages'}, ${THREADS} threads`;
    return compare(name, 'GB/s', rounds, GOAL);
  } finally {
    peer.close();
  }
}

/** One thread, one system call a pin. */
function smallPins(): BenchResult {
  const kvm = openLinuxKvm();
  const memory = kvm.allocate(GiB, { hugePages: true });
  memory.populate(0, memory.size);
  const count = memory.size / SMALL_BYTES;
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) kvm.pinning.pin(memory, index * SMALL_BYTES, SMALL_BYTES);
  const microseconds = Number(process.hrtime.bigint() - start) / 1000;
  kvm.close();
  memory.close();
  return {
    name: 'a pin of 2 MiB that is there',
    unit: 'µs',
    ours: microseconds / count,
    note: `${count} pins`,
  };
}

export const bench = {
  title: 'Long-term pins, beside the same pins in C',
  unavailable: noPeer,
  async run(progress: (text: string) => void): Promise<readonly BenchResult[]> {
    const bytes = benchBytes();
    const results: BenchResult[] = [];
    progress(`${bytes / GiB} GiB in huge pages, ${ROUNDS.huge} rounds on each side`);
    results.push(await pinRate(bytes, true));
    progress(`${SMALL_PAGES_BYTES / GiB} GiB in 4 KiB pages, ${ROUNDS.small} rounds on each side`);
    results.push(await pinRate(SMALL_PAGES_BYTES, false));
    results.push(smallPins());
    return results;
  },
};
