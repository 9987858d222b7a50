import { availableParallelism } from 'node:os';
import type { Pin } from '../port/host-memory.ts';
import type { PinRange, PinRangesOptions } from '../port/pinning.ts';
import { linuxMemory } from './host-memory.ts';
import { cutRange, type PinPiece } from './pin-pieces.ts';
import { PinRing, RING_BYTES } from './pin-ring.ts';

/** Piece that a thread takes at a time, in bytes: small enough for smooth progress, large enough to cost nothing. */
const PIECE_BYTES = 128 << 20;
const RING_PIECES = RING_BYTES / PIECE_BYTES;
/** Threads of libuv's pool unless UV_THREADPOOL_SIZE says else: more calls would only wait in line. */
const POOL_THREADS = 4;

export interface PinParallelOptions extends PinRangesOptions {
  /** Threads that pin: those of libuv's pool, by default as many as there are processors, at most 4. */
  readonly threads?: number;
}

/**
 * Pins ranges in parallel, each thread on rings of its own (a ring's calls exclude each other): as fast as the
 * machine can clear memory, while this thread goes on. All or nothing; errors as PinTable.pin, and TypeError for memory of another backend.
 */
export async function pinParallel(ranges: readonly PinRange[], options: PinParallelOptions = {}): Promise<Pin> {
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  const pieces = cut(ranges, PIECE_BYTES);
  const wanted = options.threads ?? Math.min(availableParallelism(), POOL_THREADS);
  const rings: PinRing[] = [];
  const release = () => {
    for (const ring of rings.splice(0)) ring.close();
  };
  const addRing = (): PinRing => {
    const ring = PinRing.create();
    rings.push(ring);
    return ring;
  };
  let next = 0;
  let pinned = 0;
  /** One thread's way through the pieces: each takes the one that is next, on a new ring when the last is full. */
  const fillAll = async (): Promise<void> => {
    let ring = addRing();
    for (let place = 0; ; place++) {
      const piece = pieces[next++];
      if (piece === undefined) return;
      if (place === RING_PIECES) {
        ring = addRing();
        place = 0;
      }
      try {
        await ring.fillPooled(place, piece.hva, piece.length);
      } catch (error) {
        // The others find nothing left to do.
        next = pieces.length;
        throw error;
      }
      pinned += piece.length;
      options.onProgress?.(pinned);
    }
  };
  try {
    const threads = Math.max(1, Math.min(wanted, pieces.length));
    const ends = await Promise.allSettled(Array.from({ length: threads }, fillAll));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } catch (error) {
    release();
    throw error;
  }
  return { bytes: total, release };
}

function cut(ranges: readonly PinRange[], step: number): PinPiece[] {
  return ranges.flatMap(({ memory, offset, length }) => {
    if (offset < 0 || length < 0 || offset + length > memory.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${memory.size} bytes`);
    return [...cutRange(linuxMemory(memory.handle).hva + offset, length, step)];
  });
}
