import { snapshotOrder } from '@unpin/vmm';
import type { RunOptions } from '../commands/run.ts';
import { type PreparedRun, tracedKinds } from './prepare-run.ts';

/**
 * The order that goes on from a snapshot. What was admitted then was admitted with its waivers: nothing is judged again.
 * @throws UnpinError SNAPSHOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function prepareRestore(path: string, options: RunOptions): Promise<PreparedRun> {
  const traced = tracedKinds(options.trace);
  const order = await snapshotOrder('run', path);
  return {
    order: {
      ...order,
      ...(options.stopOnLie === true ? { onLie: 'stop' } : {}),
      ...(traced === undefined ? {} : { trace: { kinds: traced } }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
    },
  };
}
