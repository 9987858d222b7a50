import type { Clock } from '../irq/index.ts';

/** Nanoseconds of a millisecond, and of a second. */
export const MILLISECOND = 1e6;
export const SECOND = 1e9;

/** Where a software KVM takes its time from. All of its VMs share it. */
export interface TimeSource extends Clock {
  /** Nanoseconds since the epoch, for kvm-clock's wall clock. Exact to about 256 ns. */
  wallNow(): number;
  /** Whether time goes on by itself; else it goes by `advance` alone. */
  readonly isDeterministic: boolean;
  /** Lets time go on, where it is deterministic. */
  advance(nanoseconds: number): void;
  /** Goes on from a saved time, before anything has looked at it: what lay between did not happen. */
  resume(now: number): void;
}

/** The host's own time. */
export class HostTime implements TimeSource {
  readonly isDeterministic = false;
  #start = performance.now();

  now(): number {
    return (performance.now() - this.#start) * MILLISECOND;
  }

  wallNow(): number {
    return (performance.timeOrigin + performance.now()) * MILLISECOND;
  }

  /** It does so by itself. */
  advance(): void {}

  resume(now: number): void {
    this.#start = performance.now() - now / MILLISECOND;
  }
}

/** Time that only what a guest executes, or waits for, lets go on: two runs of the same guest see the same. */
export class DeterministicTime implements TimeSource {
  readonly isDeterministic = true;
  readonly #epoch: number;
  #now = 0;

  /** `epoch`: the wall clock at the start, nanoseconds. */
  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#epoch + this.#now;
  }

  advance(nanoseconds: number): void {
    this.#now += nanoseconds;
  }

  resume(now: number): void {
    this.#now = now;
  }
}
