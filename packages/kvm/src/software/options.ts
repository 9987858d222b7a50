/** Nothing but what the guest executes lets time go on; keys and random numbers follow from the seed. */
export interface DeterministicClock {
  /** 32 bits. */
  readonly seed: number;
  /** The processor's frequency: one instruction is one tick. Default 1 GHz. */
  readonly tscKhz?: number;
  /** The wall clock at the start, nanoseconds since 1970. Default 2025-01-01. */
  readonly epoch?: number;
}

export interface SoftwareKvmOptions {
  /** Default: the host's time. */
  readonly clock?: 'host' | DeterministicClock;
  /** Memory of the host that guests' touched pages have to fit in, with the engine's own: up to 4 GiB, the default. */
  readonly memoryBytes?: number;
  /**
   * Gives each guest_memfd all of its frames when it is made, in order, as memory that is pinned upfront gets them: the
   * page that nobody has written then looks the same to guests of both kinds. Default: a page's frame comes with its
   * first touch.
   */
  readonly guestMemfdsAtOnce?: boolean;
  /** Bytes that may be pinned. Default: this process's own right. */
  readonly memlockLimit?: () => number;
}

/** Frequency of the time-stamp counter where nobody says: its ticks are nanoseconds. */
export const DEFAULT_TSC_KHZ = 1_000_000;
export const DEFAULT_EPOCH = Date.UTC(2025, 0, 1) * 1e6;
