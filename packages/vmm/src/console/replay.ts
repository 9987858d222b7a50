/** Console output that a later reader is shown first: the latest `limit` bytes, with a count of what fell off. */
export class Replay {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #dropped = 0;

  /** @param limit bytes kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are no longer kept. */
  get dropped(): number {
    return this.#dropped;
  }

  append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > this.#limit) {
      const oldest = this.#chunks[0];
      if (oldest === undefined) return;
      const excess = this.#bytes - this.#limit;
      const gone = Math.min(excess, oldest.length);
      if (gone === oldest.length) this.#chunks.shift();
      else this.#chunks[0] = oldest.subarray(gone);
      this.#bytes -= gone;
      this.#dropped += gone;
    }
    // Many single characters would otherwise become many small arrays.
    if (this.#chunks.length > 1024) this.#chunks = [this.all()];
  }

  all(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#bytes);
  }

  /** The last `count` lines as text, without escape sequences' meaning. */
  lastLines(count: number): readonly string[] {
    const tail = Buffer.from(this.all()).toString('latin1').split(/\r?\n/);
    return tail.filter((line) => line.trim() !== '').slice(-count);
  }
}
