import { BEGUN, RECORD_WORDS, type TraceBuffer, WRITTEN } from './trace-buffer.ts';
import { decodeRecord, type TraceRecord } from './trace-record.ts';

/** A record with its sequence number. */
export interface Sequenced {
  readonly seq: number;
  readonly record: TraceRecord;
}

/** What was found from a sequence number on. */
export interface Found {
  readonly records: readonly Sequenced[];
  /** Where to go on. */
  readonly next: number;
  /** Records that had been overwritten. */
  readonly lost: number;
}

/** The main thread's side of a trace. Sequence numbers count all records since the VM's start. */
export class TraceReader {
  readonly #buffer: TraceBuffer;
  #written = 0;

  constructor(buffer: TraceBuffer) {
    this.#buffer = buffer;
  }

  /** How many records can be read or could be. To be asked at least once in 2^32 records. */
  written(): number {
    this.#written += (Atomics.load(this.#buffer.words, WRITTEN) - this.#written) >>> 0;
    return this.#written;
  }

  /**
   * The records from `since` on that are wanted, at most `limit`.
   * @param until the first sequence number that isn't read any more
   */
  read(since: number, limit: number, wanted: (kind: TraceRecord['kind']) => boolean, until = Infinity): Found {
    const end = Math.min(this.written(), until);
    const records: Sequenced[] = [];
    let next = Math.min(since, end);
    let lost = 0;
    while (next < end && records.length < limit) {
      const oldest = this.#oldest();
      if (next >= oldest) {
        const record = decodeRecord(this.#buffer, (next & (this.#buffer.capacity - 1)) * RECORD_WORDS);
        // Looked at again: what was overwritten meanwhile may be of two records.
        if (next >= this.#oldest()) {
          if (record !== undefined && wanted(record.kind)) records.push({ seq: next, record });
          next++;
          continue;
        }
      }
      const found = Math.min(Math.max(this.#oldest(), next + 1), end);
      lost += found - next;
      next = found;
    }
    return { records, next, lost };
  }

  /** The oldest record that isn't being overwritten. */
  #oldest(): number {
    const begun = this.#written + ((Atomics.load(this.#buffer.words, BEGUN) - this.#written) | 0);
    return begun - this.#buffer.capacity;
  }
}
