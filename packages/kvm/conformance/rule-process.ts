/** The process that rules run in, so that one that brings it down takes nothing else along. Forked by run.ts. */
import { Worker } from 'node:worker_threads';
import { openBackend } from './backend-ref.ts';
import type { WatchMessage } from './guest-watch.ts';
import type { Job, Progress } from './job.ts';
import { KickDesk } from './kick-desk.ts';
import { WATCHDOG_WORDS } from './watchdog.ts';

process.once('disconnect', () => process.exit());
process.once('message', (job: Job) => void work(job));

async function work(job: Job): Promise<void> {
  let desk: KickDesk | undefined;
  const words = new Int32Array(new SharedArrayBuffer(WATCHDOG_WORDS * Int32Array.BYTES_PER_ELEMENT));
  try {
    desk = new KickDesk(await openBackend(job.backend), words, job.runLimitMs);
  } catch (error) {
    await tell({ kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) });
    process.exit();
  }
  const told = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const thread = new Worker(new URL('rule-thread.ts', import.meta.url), { workerData: { job, words, told } });
  thread.on('message', (message: WatchMessage | Progress) => {
    if (message.kind === 'watch' || message.kind === 'kick-later') desk.take(message);
    else
      void tell(message).then(() => {
        if (message.kind !== 'started') return;
        Atomics.add(told, 0, 1);
        Atomics.notify(told, 0);
      });
  });
  thread.once('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  thread.once('exit', () => process.disconnect?.());
}

function tell(progress: Progress): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(progress, () => resolve());
  });
}
