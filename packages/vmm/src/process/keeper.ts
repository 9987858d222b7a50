import { type Kicker, KvmError } from '@unpin/kvm';
import type { ControlBlock } from '../machine/control-block.ts';
import { observe, type Watch, type WatchdogLimits } from './watchdog.ts';

/** Milliseconds between two looks at the guest. */
const TICK_MS = 1_000;

/** What the keeper found. `lost`: the thread doesn't answer a kick, so nobody can end the guest from inside. */
export type Alarm = { readonly kind: 'stuck' } | { readonly kind: 'lost'; readonly unansweredMs: number };

export interface KeeperOptions {
  readonly control: ControlBlock;
  readonly limits: WatchdogLimits;
  readonly onAlarm: (alarm: Alarm) => void;
  readonly now: () => number;
}

/** Looks at a running guest every second: gets its vCPU out of KVM_RUN, and judges what it says. */
export class Keeper {
  readonly #options: KeeperOptions;
  #kicker: Kicker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #watch: Watch | undefined;
  #asked: { readonly tick: number; readonly atMs: number } | undefined;
  /** Ticks of this thread without an answer: a machine on which nothing runs on time is no lost vCPU. */
  #unanswered = 0;
  /** Long works that have not ended. */
  #lookingAway = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** The vCPU that runs from now on. A short-lived guest may be over before its kicker is there. */
  follow(kicker: Kicker): void {
    if (this.#stopped) return;
    this.#kicker = kicker;
    this.#watch = undefined;
    this.#asked = undefined;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Gets the vCPU's thread to look at what it is asked for. */
  kick(): void {
    try {
      this.#kicker?.kick();
    } catch (cause) {
      if (!(cause instanceof KvmError)) throw cause;
    }
  }

  /** Looks away while `work` has the machine's thread do something long, which answers no kick. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#lookingAway += 1;
    try {
      return await work;
    } finally {
      this.#lookingAway -= 1;
      this.#watch = undefined;
      this.#asked = undefined;
      this.#unanswered = 0;
    }
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#kicker = undefined;
  }

  #tick(): void {
    if (this.#lookingAway > 0) {
      this.kick();
      return;
    }
    const { control, limits, onAlarm, now } = this.#options;
    const asked = this.#asked;
    if (asked !== undefined && control.heartbeat !== asked.tick) {
      const unansweredMs = now() - asked.atMs;
      if (++this.#unanswered * TICK_MS >= limits.kickAnswerMs && unansweredMs >= limits.kickAnswerMs) {
        onAlarm({ kind: 'lost', unansweredMs });
        return;
      }
      this.kick();
      return;
    }
    if (asked !== undefined) {
      const found = observe(this.#watch, control.sample, control.guestExits(), now(), limits);
      if (found.kind === 'stuck') {
        onAlarm({ kind: 'stuck' });
        return;
      }
      this.#watch = found.watch;
    }
    this.#unanswered = 0;
    this.#asked = { tick: control.requestTick(), atMs: now() };
    this.kick();
  }
}
