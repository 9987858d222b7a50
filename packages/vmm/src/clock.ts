/** Milliseconds of the monotonic clock, the same in all threads of this machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * What to add to `performance.now()` of the calling thread for the same, without a bigint each time: the best of a few
 * looks, since a thread may lose its processor between two clocks.
 */
export function performanceOffsetMs(): number {
  let best = { spread: Number.POSITIVE_INFINITY, offset: 0 };
  for (let look = 0; look < 8; look++) {
    const before = performance.now();
    const now = nowMs();
    const after = performance.now();
    if (after - before < best.spread) best = { spread: after - before, offset: now - (before + after) / 2 };
  }
  return best.offset;
}

/** When this process started, on the clock of `nowMs`. To be asked in the main thread. */
export function processStartMs(): number {
  return nowMs() - performance.now();
}
