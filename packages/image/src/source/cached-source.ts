import type { ByteSource } from './byte-source.ts';
import { LruCache } from './lru-cache.ts';
import { checkRead } from './most-at-once.ts';

export interface CacheOptions {
  /** What is read at least, in bytes. Small for a file, where a read costs microseconds; large for a network. */
  readonly blockBytes?: number;
  /** What the cache keeps, in bytes; one read's blocks at least. */
  readonly cacheBytes?: number;
  /** What is read ahead at most, in bytes, once reads follow each other; it doubles up to here. 0: nothing. */
  readonly readAheadBytes?: number;
}

/** From this many blocks on, a read goes straight to its caller: it would only push out what is read again. */
const DIRECT_BLOCKS = 16;

/**
 * Keeps the blocks of a source that were read last. Neighbouring blocks that are missing are read at once, the same
 * block is not read twice at a time, and reads that follow each other read ahead. A read that fails is not kept.
 */
export function cachedSource(below: ByteSource, options: CacheOptions = {}): ByteSource {
  const blockBytes = options.blockBytes ?? 2 ** 16;
  const readAhead = Math.floor((options.readAheadBytes ?? 2 ** 18) / blockBytes);
  const blocks = new LruCache<Promise<Uint8Array>>(options.cacheBytes ?? 2 ** 23);
  const { name, size } = below;
  const blockCount = Math.ceil(size / blockBytes);
  /** The block after the last miss, and how many were read ahead there. */
  let next = -1;
  let ahead = 0;

  /** Reads blocks [first, end) at once. */
  function fetch(first: number, end: number): Promise<Uint8Array>[] {
    const start = first * blockBytes;
    const stop = Math.min(end * blockBytes, size);
    const whole = below.read(start, stop - start);
    const fetched: Promise<Uint8Array>[] = [];
    for (let index = first; index < end; index++) {
      const from = index * blockBytes - start;
      const to = Math.min(from + blockBytes, stop - start);
      // Copied, so that a block that stays doesn't keep its neighbours.
      const block = whole.then((bytes) => (end - first === 1 ? bytes : new Uint8Array(bytes.subarray(from, to))));
      blocks.set(index, block, to - from);
      fetched.push(block);
      // Who waits for it gets the error; here it is only forgotten.
      block.catch(() => blocks.get(index) === block && blocks.delete(index));
    }
    return fetched;
  }

  /** How many blocks to read beyond a miss that ends at `end`. */
  function aheadOf(first: number, end: number): number {
    ahead = first === next ? Math.min(Math.max(1, ahead * 2), readAhead) : 0;
    let count = 0;
    while (count < ahead && end + count < blockCount && !blocks.has(end + count)) count++;
    next = end + count;
    return count;
  }

  return {
    name,
    size,
    read: async (offset, length) => {
      checkRead(name, size, offset, length);
      if (length === 0) return new Uint8Array(0);
      const first = Math.floor(offset / blockBytes);
      const end = Math.floor((offset + length - 1) / blockBytes) + 1;
      if (end - first >= DIRECT_BLOCKS) return below.read(offset, length);
      const wanted: Promise<Uint8Array>[] = [];
      for (let index = first; index < end; ) {
        const block = blocks.get(index);
        if (block !== undefined) {
          wanted.push(block);
          index++;
          continue;
        }
        let stop = index + 1;
        while (stop < end && !blocks.has(stop)) stop++;
        const fetched = fetch(index, stop + (stop === end ? aheadOf(index, end) : 0));
        wanted.push(...fetched.slice(0, stop - index));
        index = stop;
      }
      const inFirst = offset - first * blockBytes;
      const [only] = wanted;
      if (wanted.length === 1 && only !== undefined) return (await only).subarray(inFirst, inFirst + length);
      const out = Buffer.allocUnsafeSlow(length);
      let at = -inFirst;
      for (const part of await Promise.all(wanted)) {
        out.set(at < 0 ? part.subarray(-at, length - at) : part.subarray(0, length - at), Math.max(0, at));
        at += part.length;
      }
      return out;
    },
  };
}
