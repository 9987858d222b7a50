import type { LaunchOrder } from '@unpin/contract';
import { SymbolThread } from './symbol-thread.ts';

/** RIPs whose names are remembered, the latest used; more than any one question asks for. */
const REMEMBERED = 1 << 16;

/**
 * Names of guest RIPs from the kernel's own symbol table. The kernel is opened in a thread of its own, only when
 * someone asks, and is not kept unless it is held: nearly all questions are about the same few places.
 */
export class Symbols {
  readonly #boot: LaunchOrder['boot'];
  readonly #names = new Map<bigint, string | undefined>();
  #running: Promise<void> = Promise.resolve();
  #thread: SymbolThread | undefined;
  #holders = 0;

  constructor(boot: LaunchOrder['boot']) {
    this.#boot = boot;
  }

  /** What is known already. */
  readonly nameOf = (rip: bigint): string | undefined => this.#names.get(rip);

  /** Looks up what is not known yet. Never fails: a place without a name has none. */
  async learn(rips: Iterable<bigint>): Promise<void> {
    const wanted = new Set(rips);
    const turn = this.#running.then(() => this.#ask(wanted));
    this.#running = turn;
    await turn;
  }

  /** Keeps the kernel open for many questions to come, until the answered function is called. */
  hold(): () => void {
    this.#holders++;
    this.#open();
    return () => {
      this.#holders--;
      this.#running = this.#running.then(() => this.#closeUnlessHeld());
    };
  }

  async #ask(wanted: ReadonlySet<bigint>): Promise<void> {
    const unknown: bigint[] = [];
    for (const rip of wanted)
      if (this.#names.has(rip)) this.#remember(rip, this.#names.get(rip));
      else unknown.push(rip);
    if (unknown.length === 0) return;
    const names = (await this.#open()?.ask(unknown)) ?? [];
    for (const [index, rip] of unknown.entries()) this.#remember(rip, names[index]);
    for (const rip of this.#names.keys()) {
      if (this.#names.size <= REMEMBERED) break;
      this.#names.delete(rip);
    }
    this.#closeUnlessHeld();
  }

  /** The latest used is the last to be forgotten. */
  #remember(rip: bigint, name: string | undefined): void {
    this.#names.delete(rip);
    this.#names.set(rip, name);
  }

  #open(): SymbolThread | undefined {
    if (this.#boot.kind !== 'linux') return undefined;
    if (this.#thread?.isOver === true) this.#thread = undefined;
    this.#thread ??= new SymbolThread(this.#boot.kernel);
    return this.#thread;
  }

  #closeUnlessHeld(): void {
    if (this.#holders > 0) return;
    this.#thread?.close();
    this.#thread = undefined;
  }
}
