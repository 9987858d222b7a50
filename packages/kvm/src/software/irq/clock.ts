/** Time of a VM. Monotonic nanoseconds as a double: exact for the first 104 days. */
export interface Clock {
  now(): number;
}

/** How one vCPU's time-stamp counter runs against its VM's clock. */
export interface TscClock {
  /** When the counter reads `high:low` (two unsigned 32-bit halves), in the clock's nanoseconds; may be in the past. */
  nanosecondsAt(high: number, low: number): number;
}

/** No deadline: `nextDeadline()` of everything that waits for nothing. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * Shortest period of a periodic timer in nanoseconds. KVM's own floor (kvm.min_timer_period_us, 200): a guest can't
 * make its host do nothing but tick.
 */
export const MIN_PERIOD = 200_000;
