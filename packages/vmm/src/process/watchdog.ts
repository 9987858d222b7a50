import type { VcpuSample } from '../machine/control-block.ts';

/** What the watchdog asks of a guest. Milliseconds. */
export interface WatchdogLimits {
  /** A guest that makes no exits and stays at one place for this long is stuck; 0 switches this off. */
  readonly stuckAfterMs: number;
  /** A kicked vCPU that does not come back within this time is lost. */
  readonly kickAnswerMs: number;
}

export const DEFAULT_LIMITS: WatchdogLimits = { stuckAfterMs: 20_000, kickAnswerMs: 5_000 };

/** Instructions within this many bytes are one place. */
const SAME_PLACE_BYTES = 64;

/** Since when a guest has been where it is. */
export interface Watch {
  readonly sinceMs: number;
  readonly rip: number;
  readonly guestExits: number;
}

export type Observation =
  | { readonly kind: 'progress'; readonly watch: Watch }
  | { readonly kind: 'same-place'; readonly watch: Watch }
  | { readonly kind: 'stuck'; readonly rip: number; readonly forMs: number };

/**
 * Whether a guest that was sampled makes progress. It does if it made an exit, waits for an interrupt, runs user code
 * (which may loop as it likes), or is somewhere else than before. Pure.
 */
export function observe(
  before: Watch | undefined,
  sample: VcpuSample,
  guestExits: number,
  nowMs: number,
  limits: WatchdogLimits,
): Observation {
  const here: Watch = { sinceMs: nowMs, rip: sample.rip, guestExits };
  const moved =
    before === undefined ||
    sample.halted ||
    sample.cpl !== 0 ||
    guestExits !== before.guestExits ||
    Math.abs(sample.rip - before.rip) > SAME_PLACE_BYTES;
  if (moved) return { kind: 'progress', watch: here };
  const forMs = nowMs - before.sinceMs;
  if (limits.stuckAfterMs > 0 && forMs >= limits.stuckAfterMs) return { kind: 'stuck', rip: sample.rip, forMs };
  return { kind: 'same-place', watch: before };
}
