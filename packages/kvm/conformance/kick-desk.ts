import type { Kvm } from '../src/port/kvm.ts';
import type { Kicker } from '../src/port/vcpu.ts';
import type { WatchMessage } from './guest-watch.ts';
import { FIRED, RUN, WAIT, WAIT_ARMED, WAIT_IDLE, WATCHDOG_PERIOD_MS } from './watchdog.ts';

/**
 * The thread beside a rule's thread: it kicks a vCPU that stays too long in KVM_RUN, and the ones that rules ask to
 * have kicked.
 */
export class KickDesk {
  readonly #kvm: Kvm;
  readonly #words: Int32Array;
  readonly #limitMs: number;
  #kicker: Kicker | undefined;
  #run = 0;
  #since = 0;

  constructor(kvm: Kvm, words: Int32Array, limitMs: number) {
    this.#kvm = kvm;
    this.#words = words;
    this.#limitMs = limitMs;
    setInterval(() => this.#look(), WATCHDOG_PERIOD_MS).unref();
  }

  take(message: WatchMessage): void {
    switch (message.kind) {
      case 'watch':
        this.#kicker = this.#kvm.openKicker(message.target);
        return;
      case 'kick-later':
        this.#kickLater(message);
    }
  }

  #kickLater({ target, afterMs }: Extract<WatchMessage, { kind: 'kick-later' }>): void {
    const kicker = this.#kvm.openKicker(target);
    setTimeout(() => {
      if (Atomics.load(this.#words, WAIT) === WAIT_ARMED) kicker.kick();
      Atomics.store(this.#words, WAIT, WAIT_IDLE);
      Atomics.notify(this.#words, WAIT);
    }, afterMs);
  }

  #look(): void {
    const run = Atomics.load(this.#words, RUN);
    const now = performance.now();
    if (run !== this.#run) {
      this.#run = run;
      this.#since = now;
      return;
    }
    if (run === 0 || now - this.#since < this.#limitMs) return;
    // Claim the run, so that its vCPU stays open while it is kicked.
    if (Atomics.compareExchange(this.#words, RUN, run, -run) !== run) return;
    Atomics.store(this.#words, FIRED, run);
    this.#kicker?.kick();
    Atomics.store(this.#words, RUN, run);
    Atomics.notify(this.#words, RUN);
  }
}
