/** Kicks a thread out of its guest when one and the same run has taken too long. */
import { workerData } from 'node:worker_threads';
import { LinuxKicker } from '../../../src/linux/kick.ts';
import type { KickTarget } from '../../../src/port/vcpu.ts';

/** What the watchdog is told. `runs` counts entries and exits of the guest in its first word: odd is inside. */
export interface Watched {
  readonly target: KickTarget;
  readonly runs: Int32Array;
  readonly limitMs: number;
}

const { target, runs, limitMs } = workerData as Watched;
const kicker = new LinuxKicker(target);
let before = 0;
setInterval(() => {
  const now = Atomics.load(runs, 0);
  if (now === before && now % 2 !== 0) kicker.kick();
  before = now;
}, limitMs);
