import type { HostState } from './memory/index.ts';
import type { DeterministicClock } from './options.ts';

/** A machine between two runs of its VM, for a snapshot: plain data. */
export interface MachineState {
  /** A deterministic clock goes on only in a machine that has the same. */
  readonly clock: 'host' | Required<DeterministicClock>;
  /** Nanoseconds since the machine was made. */
  readonly now: number;
  /** Random bytes that were drawn. */
  readonly drawn: number;
  /** The firmware's next guest handle. */
  readonly nextHandle: number;
  readonly memory: HostState;
}
