import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { HostMemoryHandle, Pin } from '../port/host-memory.ts';
import { failure } from '../sys/errno.ts';
import { explainPinFailure } from './pin-limits.ts';
import { cutRange } from './pin-pieces.ts';
import { MAX_PLACE_BYTES, PinRing, RING_PLACES } from './pin-ring.ts';
import type { PinJob, PinReport } from './pin-worker.ts';

/** Piece that a thread takes at a time, in bytes: small enough for smooth progress, large enough to cost nothing. */
const PIECE_BYTES = 64 << 20;

export interface PinRange {
  readonly memory: HostMemoryHandle;
  readonly offset: number;
  readonly length: number;
}

export interface PinParallelOptions {
  /** Threads that pin; the machine's processors where left out. */
  readonly threads?: number;
  /** Called as pieces are done, with the bytes pinned so far. */
  readonly onProgress?: (pinnedBytes: number) => void;
}

/**
 * Pins ranges in parallel, each thread on a ring of its own (a ring's calls exclude each other): as fast as the
 * machine can clear memory. All or nothing; errors as PinTable.pin.
 */
export async function pinParallel(ranges: readonly PinRange[], options: PinParallelOptions = {}): Promise<Pin> {
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  const pieces = cut(ranges, pieceBytes(total));
  const threads = Math.max(1, Math.min(options.threads ?? availableParallelism(), pieces.length));
  const rings: PinRing[] = [];
  const release = () => {
    for (const ring of rings.splice(0)) ring.close();
  };
  const next = new Int32Array(new SharedArrayBuffer(4));
  let pinned = 0;
  try {
    for (let index = 0; index < threads; index++) rings.push(PinRing.create());
    const runs = rings.map(({ fd }) =>
      runWorker({ ring: fd, pieces, next }, (bytes) => {
        pinned += bytes;
        options.onProgress?.(pinned);
      }),
    );
    const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } catch (error) {
    release();
    throw error;
  }
  return { bytes: total, release };
}

/** A ring has RING_PLACES places and one thread may come to take them all. */
function pieceBytes(total: number): number {
  const needed = Math.ceil(total / (RING_PLACES / 2) / PIECE_BYTES) * PIECE_BYTES;
  return Math.min(MAX_PLACE_BYTES, Math.max(PIECE_BYTES, needed));
}

function cut(ranges: readonly PinRange[], step: number): Float64Array {
  const pieces: number[] = [];
  for (const { memory, offset, length } of ranges) {
    if (offset < 0 || length < 0 || offset + length > memory.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${memory.size} bytes`);
    for (const piece of cutRange(memory.hva + offset, length, step)) pieces.push(piece.hva, piece.length);
  }
  const shared = new Float64Array(new SharedArrayBuffer(Math.max(8, pieces.length * 8)));
  shared.set(pieces);
  return shared.subarray(0, pieces.length);
}

function runWorker(job: PinJob, onBytes: (bytes: number) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(new URL('pin-worker.ts', import.meta.url), { workerData: job });
  worker.on('message', (report: PinReport) => {
    if (report.kind === 'pinned') onBytes(report.bytes);
    else reject(failure(report.call, report.errno, explainPinFailure(report.errno, report.length)));
  });
  worker.on('error', reject);
  worker.on('exit', () => resolve());
  return promise;
}
