import type { StartTrace, TraceKind, TracePage, TraceTotals } from '@unpin/contract';
import { bitsOf, TRACE_BITS } from './kinds.ts';
import type { TraceBuffer } from './trace-buffer.ts';
import { exitsBetween, totalsNow } from './trace-totals.ts';

/** Why a trace ended. */
export type TraceEnd = NonNullable<TracePage['over']>;

/** Milliseconds between two samples, unless said. */
const SAMPLE_MS = 10;

/** One client's trace: on until it is over; then what it has can still be read for a while. Times of `nowMs`. */
export class TraceSession {
  readonly bits: number;
  readonly sampleMs: number;
  readonly #kinds: ReadonlySet<TraceKind>;
  readonly #buffer: TraceBuffer;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #totalsBefore: Float64Array;
  #readAtMs: number;
  /** The sequence number up to which its client has asked. */
  #readTo: number;
  #over: TraceEnd | undefined;
  /** What it amounts to in the end: fixed once nothing is recorded for it any more. */
  #end: { readonly seq: number; readonly totals: TraceTotals } | undefined;

  constructor(request: StartTrace, buffer: TraceBuffer, seq: number, nowMs: number) {
    this.bits = bitsOf(request.kinds);
    this.sampleMs = request.everyMs ?? SAMPLE_MS;
    this.#kinds = new Set(request.kinds);
    this.#buffer = buffer;
    this.#startMs = nowMs;
    this.#endMs = request.durationMs === undefined ? Infinity : nowMs + request.durationMs;
    this.#totalsBefore = totalsNow(buffer);
    this.#readAtMs = nowMs;
    this.#readTo = seq;
  }

  /** Why it is over; undefined while it is on. */
  get over(): TraceEnd | undefined {
    return this.#over;
  }

  /** The first sequence number that is no part of it. */
  get until(): number {
    return this.#end?.seq ?? Infinity;
  }

  /** Whether it is over and its client has all of it. */
  get isRead(): boolean {
    return this.#end !== undefined && this.#readTo >= this.#end.seq;
  }

  has(kind: TraceKind): boolean {
    return this.#kinds.has(kind);
  }

  /** Its client is there, and has everything before `seq`. */
  read(seq: number, nowMs: number): void {
    this.#readAtMs = nowMs;
    this.#readTo = Math.max(this.#readTo, seq);
  }

  unreadMs(nowMs: number): number {
    return nowMs - this.#readAtMs;
  }

  /** Milliseconds until its time is over. */
  leftMs(nowMs: number): number {
    return this.#endMs - nowMs;
  }

  /** It wants no more from now on. */
  end(why: TraceEnd): void {
    this.#over = why;
  }

  /**
   * What is recorded from now on is no part of it. To be told after the machine's thread was told to stop recording:
   * what it writes in between belongs to the trace.
   */
  close(seq: number, nowMs: number, firstMs: number | undefined): void {
    this.#end = { seq, totals: this.totals(nowMs, firstMs) };
  }

  /** @param firstMs the guest's first instruction; before it there was nothing to trace */
  totals(nowMs: number, firstMs: number | undefined): TraceTotals {
    if (this.#end !== undefined) return this.#end.totals;
    const exits = (this.bits & TRACE_BITS.exits) === 0 ? {} : exitsBetween(this.#totalsBefore, totalsNow(this.#buffer));
    const sinceMs = Math.max(this.#startMs, firstMs ?? nowMs);
    return { ns: Math.round(Math.max(0, Math.min(nowMs, this.#endMs) - sinceMs) * 1e6), exits };
  }
}
