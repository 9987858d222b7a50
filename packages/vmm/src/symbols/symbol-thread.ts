import { Worker } from 'node:worker_threads';
import { moduleUrl } from '../program-file.ts';
import type { SymbolAnswer, SymbolSource } from './symbol-worker.ts';

/** Longest time for one look-up, in milliseconds: a kernel must be unpacked for the first. */
const LOOKUP_MS = 30_000;

/** A thread that has opened a kernel and answers questions about it, one after another. */
export class SymbolThread {
  readonly #worker: Worker;
  #over = false;

  constructor(source: SymbolSource) {
    this.#worker = new Worker(moduleUrl('symbols/symbol-worker'), { workerData: source });
    // A kernel that can't be read names nothing.
    this.#worker.on('error', () => (this.#over = true));
    this.#worker.on('exit', () => (this.#over = true));
  }

  /** Whether it has died, so that nobody will answer. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Names for RIPs, fewer where none can be had. Never fails; not to be asked again before it has answered. */
  async ask(rips: readonly bigint[]): Promise<SymbolAnswer> {
    if (this.#over) return [];
    return await new Promise<SymbolAnswer>((resolve) => {
      const worker = this.#worker;
      const none = () => done([]);
      const done = (answer: SymbolAnswer) => {
        clearTimeout(limit);
        worker.off('message', done).off('error', none).off('exit', none);
        resolve(answer);
      };
      const limit = setTimeout(() => {
        this.close();
        none();
      }, LOOKUP_MS);
      worker.on('message', done).on('error', none).on('exit', none);
      worker.postMessage(rips);
    });
  }

  close(): void {
    this.#over = true;
    void this.#worker.terminate();
  }
}
