import module from 'node:module';
import { type FromConfined, type ToConfined, WITH_DISKS } from './protocol.ts';
import { openSpillPool } from './spill-pool.ts';
import { ConfinedWorker } from './worker.ts';

/**
 * The program in which images are parsed. What it loads it loads at its start; then it gives up the right to open
 * anything, for ever, and waits for jobs. It has no network and no child processes, and ends with its parent.
 */
if (process.permission === undefined || typeof process.permission.drop !== 'function' || process.send === undefined)
  throw new Error('this program runs under --permission and with a channel, in a Node that can give up permissions');

// Nothing can be loaded later on.
if (process.argv.includes(WITH_DISKS)) await import('../inspect/open-disk-image.ts');
const spill = openSpillPool();
module.flushCompileCache();
process.permission.drop('fs');

/** A parent that is gone is told by 'disconnect'. */
const send = (message: FromConfined): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
const worker = new ConfinedWorker(send, spill);
process.on('message', (message) => worker.take(message as ToConfined));
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; whether the inspection goes on is the other side's to say, by SIGKILL.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.send({ type: 'ready' } satisfies FromConfined);
