import { Worker } from 'node:worker_threads';
import { openKicker } from '@unpin/kvm';
import { moduleUrl } from '../program-file.ts';
import type { TrialMessage } from './trial-worker.ts';

/** How long each part of the trial runs before it is kicked, in milliseconds. */
const RUN_MS = 150;
/** A trial that takes longer than this is given up, in milliseconds. */
const LIMIT_MS = 15_000;

/** What a small guest showed. */
export interface TrialResult {
  readonly ringZeroMips: number;
  readonly hypercallsExit: boolean;
}

/** Runs the trial guest in a thread of its own. Undefined: it gave no result. */
export async function tryGuest(): Promise<TrialResult | undefined> {
  const worker = new Worker(moduleUrl('capabilities/trial-worker'));
  const { promise, resolve } = Promise.withResolvers<TrialResult | undefined>();
  const limit = setTimeout(() => resolve(undefined), LIMIT_MS);
  let kicks: NodeJS.Timeout | undefined;
  worker.on('message', (message: TrialMessage) => {
    clearInterval(kicks);
    if (message.kind === 'done') {
      resolve({ ringZeroMips: message.ringZeroMips, hypercallsExit: message.hypercallsExit });
      return;
    }
    const { target } = message;
    // Again and again: the first kick may find the thread before it runs.
    kicks = setInterval(() => void openKicker(target).then((kicker) => kicker.kick()), RUN_MS);
  });
  worker.once('error', () => resolve(undefined));
  worker.once('exit', () => resolve(undefined));
  const result = await promise;
  clearTimeout(limit);
  clearInterval(kicks);
  await worker.terminate();
  return result;
}
