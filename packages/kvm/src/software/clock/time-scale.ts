/** How a guest turns ticks into nanoseconds: ((ticks << shift) × multiplier) >> 32, a negative shift to the right. */
export interface TimeScale {
  /** Unsigned, 32 bits. */
  readonly multiplier: number;
  /** -32 to 31. */
  readonly shift: number;
}

const WORD = 2 ** 32;

/** The scale of a counter of so many ticks a second, as exact as it can be (pvclock ABI, Documentation/virt/kvm/x86/msr.rst). */
export function timeScale(ticksPerSecond: number): TimeScale {
  let shift = 0;
  // A multiplier with its highest bit set loses the least: a tick is to be worth 0.5 to 1 ns once it was shifted.
  let nanoseconds = 1e9 / ticksPerSecond;
  for (; nanoseconds >= 1; nanoseconds /= 2) shift += 1;
  for (; nanoseconds < 0.5; nanoseconds *= 2) shift -= 1;
  return { multiplier: Math.min(Math.floor(nanoseconds * WORD), WORD - 1), shift };
}
