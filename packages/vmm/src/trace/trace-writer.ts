import { BEGUN, RECORD_WORDS, type TraceBuffer, WRITTEN } from './trace-buffer.ts';

/**
 * The machine's thread's side of a trace. Records are filled in place and become readable together, so that what
 * happens within an exit stands behind it although the exit ends last.
 */
export class TraceWriter {
  readonly #buffer: TraceBuffer;
  readonly #mask: number;
  /** Modulo 2^32, as the words are. */
  #begun: number;

  constructor(buffer: TraceBuffer) {
    this.#buffer = buffer;
    this.#mask = buffer.capacity - 1;
    // A machine that starts again goes on where the last one's readable records end.
    this.#begun = Atomics.load(buffer.words, WRITTEN);
  }

  /** A record to fill: the index of its first word. What it held is lost from now on. */
  begin(): number {
    const record = this.#begun;
    this.#begun = (record + 1) | 0;
    Atomics.store(this.#buffer.words, BEGUN, this.#begun);
    return (record & this.#mask) * RECORD_WORDS;
  }

  /** Makes all records readable that were begun. */
  publish(): void {
    Atomics.store(this.#buffer.words, WRITTEN, this.#begun);
  }
}
