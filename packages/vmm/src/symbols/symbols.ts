import { Worker } from 'node:worker_threads';
import type { LaunchOrder } from '@unpin/contract';
import { moduleUrl } from '../program-file.ts';
import type { SymbolAnswer, SymbolQuestion } from './symbol-worker.ts';

/** Longest time for one look-up, in milliseconds: a kernel must be unpacked for it. */
const LOOKUP_MS = 30_000;

/**
 * Names of guest RIPs from the kernel's own symbol table. The kernel is opened in a thread of its own, only when
 * someone asks, and is not kept: nearly all questions are about the same few places.
 */
export class Symbols {
  readonly #boot: LaunchOrder['boot'];
  readonly #names = new Map<bigint, string | undefined>();
  #running: Promise<void> = Promise.resolve();

  constructor(boot: LaunchOrder['boot']) {
    this.#boot = boot;
  }

  /** What is known already. */
  readonly nameOf = (rip: bigint): string | undefined => this.#names.get(rip);

  /** Looks up what is not known yet. Never fails: a place without a name has none. */
  async learn(rips: Iterable<bigint>): Promise<void> {
    const turn = this.#running.then(() => this.#ask([...new Set(rips)].filter((rip) => !this.#names.has(rip))));
    this.#running = turn;
    await turn;
  }

  async #ask(rips: readonly bigint[]): Promise<void> {
    if (rips.length === 0) return;
    const names = this.#boot.kind === 'linux' ? await askWorker({ kernel: this.#boot.kernel, rips }) : [];
    for (const [index, rip] of rips.entries()) this.#names.set(rip, names[index]);
  }
}

async function askWorker(question: SymbolQuestion): Promise<SymbolAnswer> {
  return await new Promise<SymbolAnswer>((resolve) => {
    const worker = new Worker(moduleUrl('symbols/symbol-worker'), { workerData: question });
    const limit = setTimeout(() => done([]), LOOKUP_MS);
    const done = (answer: SymbolAnswer) => {
      clearTimeout(limit);
      resolve(answer);
      void worker.terminate();
    };
    worker.once('message', (answer: SymbolAnswer) => done(answer));
    worker.once('error', () => done([]));
    worker.once('exit', () => done([]));
  });
}
