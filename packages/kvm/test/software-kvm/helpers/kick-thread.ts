/** The thread that kicks vCPUs which stay too long in `run`: the one that runs them can't. */
import { parentPort, workerData } from 'node:worker_threads';
import type { WatchMessage } from '../../../conformance/guest-watch.ts';
import { KickDesk } from '../../../conformance/kick-desk.ts';
import { openSoftwareKvm } from '../../../src/software/index.ts';

const { words, limitMs } = workerData as { readonly words: Int32Array; readonly limitMs: number };
const desk = new KickDesk(openSoftwareKvm(), words, limitMs);
parentPort?.on('message', (message: WatchMessage) => desk.take(message));
