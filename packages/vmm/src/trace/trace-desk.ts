import { randomUUID } from 'node:crypto';
import { setTimeout as setTimeoutAsync } from 'node:timers/promises';
import type { StartTrace, TracePage, TraceStarted } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { ControlBlock } from '../machine/control-block.ts';
import type { Symbols } from '../symbols/symbols.ts';
import { within } from '../within.ts';
import type { TraceBuffer } from './trace-buffer.ts';
import { kindOf, placeToName, traceEvent } from './trace-event.ts';
import { type Found, TraceReader } from './trace-reader.ts';
import { type TraceEnd, TraceSession } from './trace-session.ts';

/** Traces at a time. */
const MOST = 8;
/** Milliseconds after which a trace that nobody reads ends. */
const LEASE_MS = 10_000;
/** Milliseconds between two looks whether one must end, and between two looks for events that someone waits for. */
const LOOK_MS = 100;
const WAIT_STEP_MS = 10;
/** Events of one page. */
const PAGE = 5_000;
/** Milliseconds that a page waits for symbols; after that it answers no events yet. */
const NAMES_MS = 1_000;
/** Milliseconds that clients have to read what is left when the VM has ended. */
const LAST_READ_MS = 2_000;

export interface TraceDeskOptions {
  readonly control: ControlBlock;
  readonly buffer: TraceBuffer;
  readonly symbols: Symbols;
  /** Makes the machine's thread look at the control block at once. */
  readonly kick: () => void;
  readonly now: () => number;
  /** When the guest's first instruction was, of `now`. */
  readonly firstInstructionMs: () => number | undefined;
}

/**
 * The main thread's side of tracing: clients' traces, each on while it is read. What is switched on in the machine's
 * thread is what all of them together want, and nothing where there is none.
 */
export class TraceDesk {
  readonly #options: TraceDeskOptions;
  readonly #reader: TraceReader;
  readonly #sessions = new Map<string, TraceSession>();
  #release: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;
  #sampling: { readonly timer: NodeJS.Timeout; readonly everyMs: number } | undefined;
  #vmEnded = false;

  constructor(options: TraceDeskOptions) {
    this.#options = options;
    this.#reader = new TraceReader(options.buffer);
  }

  /** @throws UnpinError CONFLICT where the VM has ended, or too many trace it already */
  start(request: StartTrace, trace: string = randomUUID()): TraceStarted {
    const running = [...this.#sessions.values()].filter(({ over }) => over === undefined);
    if (this.#vmEnded || running.length >= MOST)
      throw new UnpinError('CONFLICT', {
        subject: 'trace',
        found: this.#vmEnded ? 'a VM that has ended' : `${running.length} traces of this VM`,
        needed: this.#vmEnded ? 'a VM that runs' : `fewer than ${MOST}`,
      });
    const since = this.#reader.written();
    this.#sessions.set(trace, new TraceSession(request, this.#options.buffer, since, this.#options.now()));
    this.#apply();
    return { trace, since, leaseMs: LEASE_MS };
  }

  /**
   * What a trace has from a sequence number on. Waits up to `waitMs` for an event; a client that goes away meanwhile
   * ends its trace.
   * @throws UnpinError NOT_FOUND
   */
  async read(trace: string, since: number, waitMs: number, gone: AbortSignal): Promise<TracePage> {
    const session = this.#find(trace);
    const { now } = this.#options;
    session.read(since, now());
    const deadline = now() + waitMs;
    for (;;) {
      const found = this.#reader.read(since, PAGE, (kind) => session.has(kindOf(kind)), session.until);
      if (found.records.length > 0 || found.lost > 0 || session.over !== undefined || now() >= deadline)
        return await this.#page(session, since, found);
      await setTimeoutAsync(WAIT_STEP_MS, undefined, { signal: gone }).catch(() => this.#end(session, 'unread'));
    }
  }

  /** Ends a trace; its last pages can still be read. @throws UnpinError NOT_FOUND */
  async end(trace: string, since: number, gone: AbortSignal): Promise<TracePage> {
    this.#end(this.#find(trace), 'told');
    return await this.read(trace, since, 0, gone);
  }

  /** The machine runs no more: ends all traces. */
  vmEnded(): void {
    this.#vmEnded = true;
    for (const session of this.#sessions.values()) this.#end(session, 'vm-ended');
  }

  /** Resolves when clients have read what is left, or have had their time. */
  async finish(): Promise<void> {
    const { now } = this.#options;
    const deadline = now() + LAST_READ_MS;
    // A client that hasn't asked for so long is not there any more.
    const isAwaited = (session: TraceSession) => !session.isRead && session.unreadMs(now()) < LAST_READ_MS;
    while ([...this.#sessions.values()].some(isAwaited) && now() < deadline) await setTimeoutAsync(WAIT_STEP_MS);
    this.#sessions.clear();
    this.#apply();
  }

  async #page(session: TraceSession, since: number, found: Found): Promise<TracePage> {
    const { symbols, now, firstInstructionMs } = this.#options;
    const rips = found.records.map(({ record }) => placeToName(record)).filter((rip) => rip !== undefined);
    const totals = session.totals(now(), firstInstructionMs());
    // The kernel is still being opened: the events stay where they are.
    if (!(await within(symbols.learn(rips), NAMES_MS))) return { events: [], next: since, lost: 0, totals };
    const firstMs = firstInstructionMs();
    const telling = { firstNs: firstMs === undefined ? undefined : firstMs * 1e6, nameOf: symbols.nameOf };
    const events = found.records.map((record) => traceEvent(record, telling));
    const { over } = session;
    const isLast = over !== undefined && found.next >= session.until;
    // Its client knows that there is no more and won't ask again.
    if (isLast) session.read(found.next, now());
    return { events, next: found.next, lost: found.lost, totals, ...(isLast ? { over } : {}) };
  }

  #find(trace: string): TraceSession {
    const session = this.#sessions.get(trace);
    if (session === undefined)
      throw new UnpinError('NOT_FOUND', { subject: `trace ${trace}`, found: 'none of that name that is still read' });
    return session;
  }

  #end(session: TraceSession, why: TraceEnd): void {
    if (session.over !== undefined) return;
    const { now, firstInstructionMs } = this.#options;
    session.end(why);
    this.#apply();
    session.close(this.#reader.written(), now(), firstInstructionMs());
  }

  /** Makes the machine's thread trace what is wanted now, and nothing else. */
  #apply(): void {
    const { control, symbols, kick } = this.#options;
    const running = [...this.#sessions.values()].filter(({ over }) => over === undefined);
    const bits = running.reduce((all, session) => all | session.bits, 0);
    if (control.traced !== bits) {
      control.trace(bits);
      kick();
    }
    const sampling = running.filter((session) => session.has('samples')).map(({ sampleMs }) => sampleMs);
    this.#sample(sampling.length === 0 ? undefined : Math.min(...sampling));
    const hasPlaces = running.some((session) =>
      (['faults', 'conversions', 'samples'] as const).some((k) => session.has(k)),
    );
    if (hasPlaces) this.#release ??= symbols.hold();
    else {
      this.#release?.();
      this.#release = undefined;
    }
    if (this.#sessions.size > 0) this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref();
    else {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  #sample(everyMs: number | undefined): void {
    if (this.#sampling?.everyMs === everyMs) return;
    clearInterval(this.#sampling?.timer);
    const { control, kick } = this.#options;
    const ask = () => {
      control.requestSample();
      kick();
    };
    this.#sampling = everyMs === undefined ? undefined : { everyMs, timer: setInterval(ask, everyMs).unref() };
  }

  /** Ends what is over, and forgets what nobody will read any more. */
  #look(): void {
    const nowMs = this.#options.now();
    for (const [trace, session] of this.#sessions) {
      if (session.leftMs(nowMs) <= 0) this.#end(session, 'time');
      if (session.unreadMs(nowMs) < LEASE_MS) continue;
      this.#end(session, 'unread');
      this.#sessions.delete(trace);
      this.#apply();
    }
  }
}
