/** Kicks a thread out of its guest, again and again, once its time is up. */
import { workerData } from 'node:worker_threads';
import { LinuxKicker } from '../../../src/linux/kick.ts';
import type { KickTarget } from '../../../src/port/vcpu.ts';

const { target, limitMs } = workerData as { readonly target: KickTarget; readonly limitMs: number };
const kicker = new LinuxKicker(target);
setTimeout(() => setInterval(() => kicker.kick(), 100), limitMs);
