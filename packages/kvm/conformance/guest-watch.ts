import type { KickTarget, Vcpu } from '../src/port/vcpu.ts';
import { FIRED, RUN, WAIT, WAIT_ARMED, WAIT_CANCELLED } from './watchdog.ts';

/** What a rule's thread asks of the kick desk. */
export type WatchMessage =
  | { readonly kind: 'watch'; readonly target: KickTarget }
  | { readonly kind: 'kick-later'; readonly target: KickTarget; readonly afterMs: number };

/** The side of the watchdog that a rule's thread holds: every KVM_RUN goes through `enter` and `leave`. */
export class GuestWatch {
  readonly runLimitMs: number;
  readonly #words: Int32Array;
  readonly #post: (message: WatchMessage) => void;
  #runs = 0;
  #kickLeft = false;

  constructor(words: Int32Array, runLimitMs: number, post: (message: WatchMessage) => void) {
    this.#words = words;
    this.runLimitMs = runLimitMs;
    this.#post = post;
  }

  /** Makes this vCPU the one that the watchdog kicks. */
  watch(vcpu: Vcpu): void {
    this.#post({ kind: 'watch', target: vcpu.kickTarget() });
  }

  enter(): void {
    this.#runs += 1;
    Atomics.store(this.#words, RUN, this.#runs);
  }

  /** Whether the watchdog kicked this run. Returns when no kick is under way, so that the vCPU may be closed. */
  leave(): boolean {
    const run = this.#runs;
    while (Atomics.compareExchange(this.#words, RUN, run, 0) === -run) Atomics.wait(this.#words, RUN, -run);
    return Atomics.load(this.#words, FIRED) === run;
  }

  /** The watchdog's kick came too late for its run: the next run will come back with it. */
  kickIsLeft(): void {
    this.#kickLeft = true;
  }

  takeLeftKick(): boolean {
    const left = this.#kickLeft;
    this.#kickLeft = false;
    return left;
  }

  /** Has the desk kick the vCPU once, after about so many milliseconds. One at a time. */
  kickLater(vcpu: Vcpu, afterMs: number): void {
    this.cancelWait();
    Atomics.store(this.#words, WAIT, WAIT_ARMED);
    this.#post({ kind: 'kick-later', target: vcpu.kickTarget(), afterMs });
  }

  /** Returns when no kick of this rule is under way any more. */
  cancelWait(): void {
    if (Atomics.compareExchange(this.#words, WAIT, WAIT_ARMED, WAIT_CANCELLED) === WAIT_ARMED)
      Atomics.wait(this.#words, WAIT, WAIT_CANCELLED);
  }
}
