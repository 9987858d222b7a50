/** Milliseconds of the monotonic clock, the same in all threads of this machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** When this process started, on the clock of `nowMs`. To be asked in the main thread. */
export function processStartMs(): number {
  return nowMs() - performance.now();
}
