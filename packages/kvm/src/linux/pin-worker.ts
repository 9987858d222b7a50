import { parentPort, workerData } from 'node:worker_threads';
import { KvmError } from '../port/errors.ts';
import { PinRing } from './pin-ring.ts';

/** What one thread of pinParallel gets. */
export interface PinJob {
  readonly ring: number;
  /** Address and length of each piece, shared by all threads. */
  readonly pieces: Float64Array;
  /** The piece that is taken next, shared. */
  readonly next: Int32Array;
}

export type PinReport =
  | { readonly kind: 'pinned'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly call: string; readonly errno: number; readonly length: number };

const report = (message: PinReport): void => parentPort?.postMessage(message);
const { ring: fd, pieces, next } = workerData as PinJob;
const ring = new PinRing(fd);
const count = pieces.length / 2;

for (let place = 0; ; place++) {
  const piece = Atomics.add(next, 0, 1);
  if (piece >= count) break;
  const length = pieces[piece * 2 + 1] ?? 0;
  try {
    ring.fill(place, pieces[piece * 2] ?? 0, length);
  } catch (error) {
    // The others find nothing left to do.
    Atomics.store(next, 0, count);
    if (!(error instanceof KvmError)) throw error;
    report({ kind: 'failed', call: error.call, errno: error.errno, length });
    break;
  }
  report({ kind: 'pinned', bytes: length });
}
