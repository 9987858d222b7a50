import { parentPort, workerData } from 'node:worker_threads';
import { KvmError } from '../../port/errors.ts';
import { openHostMemory } from '../allocate.ts';
import { PinTable } from '../pin-table.ts';
import { UserFaults } from '../user-fault.ts';
import { GRANULE_BYTES, GranuleFiller } from './granule-filler.ts';
import * as at from './on-fault-words.ts';

/** How often the server looks whether it is to end, in milliseconds. */
const PERIOD_MS = 50;

const { memory: handle, words } = workerData as at.OnFaultJob;
const memory = openHostMemory(handle);
const pins = new PinTable();
const isHeld = new Uint8Array(Math.ceil(handle.size / GRANULE_BYTES));
const closers: (() => void)[] = [() => pins.close()];
const tell = (message: at.OnFaultMessage): void => parentPort?.postMessage(message);

try {
  serve();
} catch (error) {
  if (!(error instanceof KvmError)) throw error;
  noteFailure(error);
  tell({ kind: 'failed', call: error.call, errno: error.errno, detail: error.message });
} finally {
  // A thread that still waits for a page goes on as soon as the userfaultfd is closed.
  for (const close of closers.toReversed()) close();
  // Nobody asked for the end: what is touched from now on is not pinned.
  if (Atomics.load(words, at.STATE) === at.SERVING) Atomics.add(words, at.FAILURES, 1);
  Atomics.store(words, at.STATE, at.ENDED);
  Atomics.notify(words, at.STATE);
}

function serve(): void {
  const faults = UserFaults.create();
  closers.push(() => faults.close());
  const filler = new GranuleFiller(faults);
  closers.push(() => filler.close());
  holdWhatIsThere();
  faults.register(handle.hva, handle.size);
  Atomics.compareExchange(words, at.STATE, at.STARTING, at.SERVING);
  tell({ kind: 'serving' });
  while (Atomics.load(words, at.STATE) === at.SERVING) {
    const fault = faults.next(PERIOD_MS);
    if (fault === null) continue;
    const granule = Math.floor((fault.hva - handle.hva) / GRANULE_BYTES);
    const { offset, length } = rangeOf(granule);
    if (isHeld[granule] === 0) {
      filler.fill(handle.hva + offset, length);
      hold(granule);
    }
    // Also where two threads met in one granule: the second fault finds it filled.
    faults.wake(handle.hva + offset, length);
  }
}

/** Granules that were touched before: completed and pinned while this thread may still touch them. */
function holdWhatIsThere(): void {
  for (let granule = 0; granule < isHeld.length; granule++) {
    const { offset, length } = rangeOf(granule);
    if (memory.residentBytes(offset, length) > 0) hold(granule);
  }
}

/** Without the right to pin any more the guest goes on, and the failure is counted: its owner decides. */
function hold(granule: number): void {
  const { offset, length } = rangeOf(granule);
  isHeld[granule] = 1;
  Atomics.add(words, at.GRANULES, 1);
  try {
    pins.pin(memory, offset, length);
    Atomics.add(words, at.PINNED_KIB, length / 1024);
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    noteFailure(error);
  }
}

function rangeOf(granule: number): { readonly offset: number; readonly length: number } {
  const offset = granule * GRANULE_BYTES;
  return { offset, length: Math.min(GRANULE_BYTES, handle.size - offset) };
}

function noteFailure(error: KvmError): void {
  Atomics.compareExchange(words, at.FIRST_ERRNO, 0, error.errno);
  Atomics.add(words, at.FAILURES, 1);
}
