import type { Clock, TscClock } from '../../../src/software/irq/clock.ts';

/** Time that stands still until it is moved; its TSC reads nanoseconds. */
export class TestClock implements Clock, TscClock {
  time = 1000;

  now(): number {
    return this.time;
  }

  nanosecondsAt(high: number, low: number): number {
    return high * 2 ** 32 + low;
  }
}
