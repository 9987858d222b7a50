/** Words before the bytes: how many were ever written, how many were ever read (both modulo 2^32), and the doorbell. */
const HEADER_BYTES = 16;
const WRITTEN = 0;
const READ = 1;
const DOORBELL = 2;

/**
 * A ring of bytes from one thread to one other, in shared memory. Neither side ever waits for a lock: the writer owns
 * `written`, the reader owns `read`. The capacity is a power of two, so that both counters may wrap.
 */
export class ByteRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #mask: number;

  /** @throws RangeError unless `buffer` was made by `ByteRing.create`. */
  constructor(buffer: SharedArrayBuffer) {
    const capacity = buffer.byteLength - HEADER_BYTES;
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0) throw new RangeError(`a ring of ${capacity} bytes`);
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(buffer, HEADER_BYTES);
    this.#mask = capacity - 1;
  }

  /** @param capacity bytes, a power of two up to 2^30 */
  static create(capacity: number): ByteRing {
    return new ByteRing(new SharedArrayBuffer(HEADER_BYTES + capacity));
  }

  get capacity(): number {
    return this.#mask + 1;
  }

  /** Bytes that are waiting to be read. */
  get pending(): number {
    return (Atomics.load(this.#words, WRITTEN) - Atomics.load(this.#words, READ)) >>> 0;
  }

  /** Writer: as many bytes as fit now; answers how many. Rings the doorbell if the reader sleeps. */
  write(bytes: Uint8Array): number {
    const written = Atomics.load(this.#words, WRITTEN) >>> 0;
    const count = Math.min(bytes.length, this.capacity - this.pending);
    for (let i = 0; i < count; i++) this.#bytes[(written + i) & this.#mask] = bytes[i] as number;
    if (count > 0) this.#publish(written + count);
    return count;
  }

  /** Writer: one byte; false where the ring is full. */
  writeByte(byte: number): boolean {
    const written = Atomics.load(this.#words, WRITTEN) >>> 0;
    if (this.pending > this.#mask) return false;
    this.#bytes[written & this.#mask] = byte;
    this.#publish(written + 1);
    return true;
  }

  /** Reader: everything that is there, at most `limit` bytes, as a copy. */
  read(limit = this.capacity): Uint8Array {
    const read = Atomics.load(this.#words, READ) >>> 0;
    const count = Math.min(this.pending, limit);
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = this.#bytes[(read + i) & this.#mask] as number;
    if (count > 0) {
      Atomics.store(this.#words, READ, (read + count) | 0);
      Atomics.notify(this.#words, READ);
    }
    return out;
  }

  /** Reader: resolves when something is there, at the latest after `timeoutMs`. */
  async readable(timeoutMs: number): Promise<void> {
    if (this.pending > 0) return;
    Atomics.store(this.#words, DOORBELL, 0);
    if (this.pending > 0) return;
    const waiting = Atomics.waitAsync(this.#words, DOORBELL, 0, timeoutMs);
    if (waiting.async) await waiting.value;
  }

  /** Writer: blocks its thread until there is room, at most `timeoutMs`. */
  waitForRoom(timeoutMs: number): boolean {
    const read = Atomics.load(this.#words, READ);
    if (this.pending <= this.#mask) return true;
    return Atomics.wait(this.#words, READ, read, timeoutMs) !== 'timed-out';
  }

  #publish(written: number): void {
    Atomics.store(this.#words, WRITTEN, written | 0);
    if (Atomics.exchange(this.#words, DOORBELL, 1) === 0) Atomics.notify(this.#words, DOORBELL);
  }
}
