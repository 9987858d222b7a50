/** Longest sleep of a halted vCPU at a time, in milliseconds: Atomics.wait takes more, timers of the host drift less. */
const LONGEST_SLEEP_MS = 10_000;

/**
 * Sleeps on a vCPU's event word until a kick or a signal, or for so many nanoseconds. Returns at once where the word is
 * not 0.
 */
export function sleepOn(words: Int32Array<SharedArrayBuffer>, index: number, nanoseconds: number): void {
  const milliseconds = Math.min(nanoseconds / 1e6, LONGEST_SLEEP_MS);
  if (milliseconds > 0) Atomics.wait(words, index, 0, milliseconds);
}
