import { resolve } from 'node:path';
import { LaunchOrder } from '@unpin/contract';
import { check } from '@unpin/contract/check';
import { UnpinError } from '@unpin/contract/errors';
import type { SavedMachine } from './saved-machine.ts';
import { restoringError } from './snapshot-errors.ts';

/**
 * The order that goes on from a snapshot, for whoever has only the file.
 * @throws UnpinError SNAPSHOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function snapshotOrder(name: string, path: string): Promise<LaunchOrder> {
  const { readSnapshotUser } = await import('@unpin/kvm/software');
  try {
    const saved = readSnapshotUser(path) as SavedMachine | null;
    const order = { contract: 1, name, ...saved?.order, restore: { path: resolve(path) } };
    const checked = check(LaunchOrder, order);
    if (checked.ok) return checked.value;
    throw new UnpinError('SNAPSHOT_INVALID', { subject: path, found: checked.problem });
  } catch (thrown) {
    throw restoringError(path, thrown);
  }
}
