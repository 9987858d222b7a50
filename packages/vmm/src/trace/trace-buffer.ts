import { EXIT_KINDS } from '../machine/control-block.ts';

/** A record's words; see `FIELD`. One cache line. */
export const RECORD_WORDS = 16;
const RECORD_BYTES = RECORD_WORDS * 4;
/** Records kept unless said: 4 MiB, of which the operating system gives none before it is written. */
const CAPACITY = 1 << 16;

/** Words in front of the records: how many records were begun, and how many can be read (both modulo 2^32). */
export const BEGUN = 0;
export const WRITTEN = 1;
const HEADER_BYTES = 64;
/** Of each exit reason: how often, and nanoseconds in the VMM. */
const TOTAL_DOUBLES = EXIT_KINDS.length * 2;
const RECORDS_AT = HEADER_BYTES + Math.ceil((TOTAL_DOUBLES * 8) / 64) * 64;

/** Where a record's parts are: u32 by word, doubles by half as many. */
export const FIELD = {
  /** u32: one of RECORD. */
  tag: 0,
  /**
   * u32: an exit's reason (its index in EXIT_KINDS), an exception's vector, a sample's privilege level, pages that a
   * conversion changed.
   */
  code: 1,
  /** u32: bits of FLAG. */
  flags: 2,
  /** u32: bytes of one access; an exception's error code; pages that a conversion gave back. */
  size: 3,
  /** Double: nanoseconds on the machine's clock. */
  at: 2,
  /** Double: nanoseconds that it took. */
  ns: 3,
  /** Double: port, GPA, MSR or hypercall number. */
  place: 4,
  /** Double: bytes of a conversion, items of an I/O, errno of a memory fault. */
  amount: 5,
  /** Double: a conversion's answer. */
  ret: 6,
  /** u32: CR2 of an exception, in the place of amount. */
  addressLow: 10,
  addressHigh: 11,
  /** u32 */
  ripLow: 14,
  ripHigh: 15,
} as const;

export const RECORD = { exit: 1, memoryFault: 2, wrongView: 3, exception: 4, conversion: 5, sample: 6 } as const;

export const FLAG = {
  /** Out, write. */
  write: 1,
  /** The view, or what is converted to. */
  private: 2,
  /** What the guest had reported the page as. */
  attributePrivate: 4,
  halted: 8,
  hasErrorCode: 16,
} as const;

/**
 * A ring of trace records from the machine's thread to the main thread, in shared memory. The writer never waits: it
 * overwrites the oldest, and the reader counts what it missed.
 */
export class TraceBuffer {
  readonly buffer: SharedArrayBuffer;
  /** A power of two. */
  readonly capacity: number;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** By exit reason: count, nanoseconds. One writer, the machine's thread. */
  readonly totals: Float64Array<SharedArrayBuffer>;
  /** The records, as unsigned words and as doubles. */
  readonly u32: Uint32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;

  /** @throws RangeError unless `buffer` was made by `TraceBuffer.create`. */
  constructor(buffer: SharedArrayBuffer) {
    const capacity = (buffer.byteLength - RECORDS_AT) / RECORD_BYTES;
    if (!Number.isInteger(capacity) || capacity < 1 || (capacity & (capacity - 1)) !== 0)
      throw new RangeError(`a trace of ${capacity} records`);
    this.buffer = buffer;
    this.capacity = capacity;
    this.words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.totals = new Float64Array(buffer, HEADER_BYTES, TOTAL_DOUBLES);
    this.u32 = new Uint32Array(buffer, RECORDS_AT);
    this.f64 = new Float64Array(buffer, RECORDS_AT);
  }

  /** @param capacity records, a power of two */
  static create(capacity = CAPACITY): TraceBuffer {
    return new TraceBuffer(new SharedArrayBuffer(RECORDS_AT + capacity * RECORD_BYTES));
  }
}
