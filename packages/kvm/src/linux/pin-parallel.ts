import { availableParallelism } from 'node:os';
import type { HostMemoryHandle, Pin } from '../port/host-memory.ts';
import { cutRange, type PinPiece } from './pin-pieces.ts';
import { MAX_PLACE_BYTES, PinRing, RING_PLACES } from './pin-ring.ts';

/** Piece that a thread takes at a time, in bytes: small enough for smooth progress, large enough to cost nothing. */
const PIECE_BYTES = 128 << 20;
/** Threads of libuv's pool unless UV_THREADPOOL_SIZE says else: more calls would only wait in line. */
const POOL_THREADS = 4;

export interface PinRange {
  readonly memory: HostMemoryHandle;
  readonly offset: number;
  readonly length: number;
}

export interface PinParallelOptions {
  /** Threads that pin: those of libuv's pool, by default as many as there are processors, at most 4. */
  readonly threads?: number;
  /** Called as pieces are done, with the bytes pinned so far. */
  readonly onProgress?: (pinnedBytes: number) => void;
}

/**
 * Pins ranges in parallel, each thread on a ring of its own (a ring's calls exclude each other): as fast as the
 * machine can clear memory, while this thread goes on. All or nothing; errors as PinTable.pin.
 */
export async function pinParallel(ranges: readonly PinRange[], options: PinParallelOptions = {}): Promise<Pin> {
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  const pieces = cut(ranges, pieceBytes(total));
  const wanted = options.threads ?? Math.min(availableParallelism(), POOL_THREADS);
  const rings: PinRing[] = [];
  const release = () => {
    for (const ring of rings.splice(0)) ring.close();
  };
  let next = 0;
  let pinned = 0;
  /** One ring's way through the pieces: each ring takes the one that is next. */
  const fillAll = async (ring: PinRing): Promise<void> => {
    for (let place = 0; ; place++) {
      const piece = pieces[next++];
      if (piece === undefined) return;
      try {
        await ring.fillPooled(place, piece.hva, piece.length);
      } catch (error) {
        // The other rings find nothing left to do.
        next = pieces.length;
        throw error;
      }
      pinned += piece.length;
      options.onProgress?.(pinned);
    }
  };
  try {
    for (let index = 0; index < Math.max(1, Math.min(wanted, pieces.length)); index++) rings.push(PinRing.create());
    const ends = await Promise.allSettled(rings.map(fillAll));
    const failed = ends.find((end) => end.status === 'rejected');
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

function cut(ranges: readonly PinRange[], step: number): PinPiece[] {
  return ranges.flatMap(({ memory, offset, length }) => {
    if (offset < 0 || length < 0 || offset + length > memory.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${memory.size} bytes`);
    return [...cutRange(memory.hva + offset, length, step)];
  });
}
