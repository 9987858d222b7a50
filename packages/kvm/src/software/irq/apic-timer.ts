import { MIN_PERIOD, NEVER } from './clock.ts';

/** Bits 18:17 of the timer's LVT. Both together are reserved: no timer runs. */
export type TimerMode = 'one-shot' | 'periodic' | 'tsc-deadline' | 'none';

const MODES: readonly TimerMode[] = ['one-shot', 'periodic', 'tsc-deadline', 'none'];

export function timerMode(lvt: number): TimerMode {
  return MODES[(lvt >>> 17) & 3] ?? 'none';
}

/** The divisor in bits 3, 1 and 0 of the divide configuration register: 2 to 128, and 1. */
export function timerDivisor(divide: number): number {
  return 1 << ((((divide & 3) | ((divide & 8) >>> 1)) + 1) & 7);
}

/** All of a timer, for a snapshot; times are the clock's. */
export interface ApicTimerState {
  readonly mode: TimerMode;
  readonly divisor: number;
  readonly initial: number;
  readonly period: number;
  readonly deadline: number;
  readonly tscHigh: number;
  readonly tscLow: number;
}

/**
 * The local APIC's timer (Intel SDM vol. 3, 12.5.4): counts from a clock whose bus cycle is one nanosecond, KVM's own
 * (1 GHz). Says when it is due; what a firing means is the APIC's matter.
 */
export class ApicTimer {
  #mode: TimerMode = 'one-shot';
  #divisor = 2;
  #initial = 0;
  /** Nanoseconds of one count-down; 0 where none was started. */
  #period = 0;
  #deadline = NEVER;
  #tscHigh = 0;
  #tscLow = 0;

  get mode(): TimerMode {
    return this.#mode;
  }

  /** When it is due next, or Infinity. */
  get deadline(): number {
    return this.#deadline;
  }

  /** IA32_TSC_DEADLINE: 0 where none is armed. */
  get tscHigh(): number {
    return this.#tscHigh;
  }

  get tscLow(): number {
    return this.#tscLow;
  }

  reset(): void {
    this.#mode = 'one-shot';
    this.#divisor = timerDivisor(0);
    this.#initial = 0;
    this.stop();
  }

  stop(): void {
    this.#period = 0;
    this.#deadline = NEVER;
    this.#tscHigh = 0;
    this.#tscLow = 0;
  }

  /** Going to or from TSC deadlines disarms it; between one-shot and periodic it runs on. Answers whether it disarmed. */
  setMode(mode: TimerMode): boolean {
    const crossed = (mode === 'tsc-deadline') !== (this.#mode === 'tsc-deadline');
    this.#mode = mode;
    if (crossed) {
      this.#initial = 0;
      this.stop();
    } else if (mode === 'periodic' && this.#period > 0) this.#period = Math.max(this.#period, MIN_PERIOD);
    return crossed;
  }

  /** A running count-down goes on with what is left of it, at its new speed. */
  setDivide(divide: number, now: number): void {
    const divisor = timerDivisor(divide);
    if (divisor === this.#divisor) return;
    if (this.#deadline !== NEVER && this.#mode !== 'tsc-deadline') {
      const left = Math.max(0, this.#deadline - now);
      this.#deadline = now + (left / this.#divisor) * divisor;
      this.#period = this.#periodOf(this.#initial, divisor);
    }
    this.#divisor = divisor;
  }

  /** A write of the initial count: 0 stops. With `current`, the first count-down has only that much left (a restore). */
  start(initial: number, now: number, current = initial): void {
    this.stop();
    this.#initial = initial;
    if (initial === 0 || this.#mode === 'tsc-deadline' || this.#mode === 'none') return;
    this.#period = this.#periodOf(initial, this.#divisor);
    const first = current === initial ? this.#period : Math.min(current * this.#divisor, this.#period);
    this.#deadline = now + first;
  }

  /** Arms a TSC deadline that is due at `at`; 0:0 disarms. */
  armTsc(high: number, low: number, at: number): void {
    this.#tscHigh = high;
    this.#tscLow = low;
    this.#deadline = (high | low) === 0 ? NEVER : at;
  }

  /** The current count. */
  current(now: number): number {
    if (this.#initial === 0 || this.#period === 0 || this.#deadline === NEVER) return 0;
    let left = this.#deadline - now;
    if (left <= 0) {
      if (this.#mode !== 'periodic') return 0;
      left = this.#period - (-left % this.#period);
    }
    return Math.min(Math.floor(left / this.#divisor), this.#initial);
  }

  /**
   * Whether it fired by `now`. Several missed periods fire once, as KVM's timer that is still pending does; the next
   * one is on the old grid.
   */
  expire(now: number): boolean {
    if (this.#deadline > now) return false;
    if (this.#mode === 'periodic' && this.#period > 0) {
      const missed = Math.floor((now - this.#deadline) / this.#period);
      this.#deadline += (missed + 1) * this.#period;
    } else {
      this.#deadline = NEVER;
      this.#tscHigh = 0;
      this.#tscLow = 0;
    }
    return true;
  }

  state(): ApicTimerState {
    return {
      mode: this.#mode,
      divisor: this.#divisor,
      initial: this.#initial,
      period: this.#period,
      deadline: this.#deadline,
      tscHigh: this.#tscHigh,
      tscLow: this.#tscLow,
    };
  }

  resume(state: ApicTimerState): void {
    this.#mode = state.mode;
    this.#divisor = state.divisor;
    this.#initial = state.initial;
    this.#period = state.period;
    this.#deadline = state.deadline;
    this.#tscHigh = state.tscHigh;
    this.#tscLow = state.tscLow;
  }

  #periodOf(initial: number, divisor: number): number {
    const period = initial * divisor;
    return this.#mode === 'periodic' ? Math.max(period, MIN_PERIOD) : period;
  }
}
