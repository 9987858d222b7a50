import { type Static, Type } from '../schema.ts';

/**
 * What a VM's trace can show:
 * - `exits`: each time KVM handed over to the VMM, and how long that took;
 * - `faults`: memory-fault exits, accesses of shaped and emulated SEV guests through the view that isn't mapped, and, where the
 *   backend delivers exceptions itself, the guest's own exceptions;
 * - `conversions`: pages shared and taken back;
 * - `samples`: where the guest was, asked every few milliseconds.
 */
export const TRACE_KINDS = ['exits', 'faults', 'conversions', 'samples'] as const;
export const TraceKind = Type.Enum(['exits', 'faults', 'conversions', 'samples']);
export type TraceKind = Static<typeof TraceKind>;

/** Starts tracing a running VM. It ends when it is told to, when its time is over, or when nobody reads it. */
export const StartTrace = Type.Object({
  kinds: Type.Array(TraceKind, { minItems: 1, maxItems: 4, uniqueItems: true }),
  /** Milliseconds between two samples; 10 unless said. */
  everyMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
  /** Milliseconds after which it ends by itself; no limit unless said. */
  durationMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
});
export type StartTrace = Static<typeof StartTrace>;

export const TraceId = Type.String({ minLength: 1, maxLength: 64 });

/** The trace that a launch order asks for; its events are numbered from 0. */
export const LAUNCH_TRACE = 'launch';

export const TraceStarted = Type.Object({
  /** Names the trace in the calls that read and end it. */
  trace: TraceId,
  /** The sequence number to read from first. */
  since: Type.Number(),
  /** A trace that nobody has read for so many milliseconds ends. */
  leaseMs: Type.Number(),
});
export type TraceStarted = Static<typeof TraceStarted>;

const View = Type.Enum(['private', 'shared']);
/** Sequence number, and nanoseconds since the first instruction. */
const stamp = { seq: Type.Number(), atNs: Type.Number() };
/** Guest RIP, hexadecimal, and its symbol where the kernel's own table has one. */
const place = { rip: Type.String(), symbol: Type.Optional(Type.String()) };

/** KVM handed over to the VMM. */
export const ExitEvent = Type.Object({
  ...stamp,
  kind: Type.Literal('exit'),
  /** As figures count exits: `io`, `mmio`, `hypercall`, `intr`. */
  reason: Type.String(),
  /** Nanoseconds in the VMM, until it was ready to let the guest go on. */
  ns: Type.Number(),
  /** What the reason has of these. */
  port: Type.Optional(Type.Number()),
  gpa: Type.Optional(Type.Number()),
  msr: Type.Optional(Type.Number()),
  hypercall: Type.Optional(Type.Number()),
  /** Of an item, where there are several: bytes of one access. */
  bytes: Type.Optional(Type.Number()),
  /** Items of a string instruction. */
  count: Type.Optional(Type.Number()),
  direction: Type.Optional(Type.Enum(['in', 'out', 'read', 'write'])),
  view: Type.Optional(View),
  /** KVM's own number: of a system event, an internal error, an exit that this version does not know. */
  code: Type.Optional(Type.Number()),
});
export type ExitEvent = Static<typeof ExitEvent>;

/** KVM could not back an access and said where. */
export const MemoryFaultEvent = Type.Object({
  ...stamp,
  ...place,
  kind: Type.Literal('fault'),
  fault: Type.Literal('memory-fault'),
  gpa: Type.Number(),
  bytes: Type.Number(),
  view: View,
  errno: Type.Number(),
});

/** A guest used a page through the view that isn't mapped. By itself no lie: correct kernels do so as well. */
export const WrongViewEvent = Type.Object({
  ...stamp,
  ...place,
  kind: Type.Literal('fault'),
  fault: Type.Literal('wrong-view'),
  gpa: Type.Number(),
  bytes: Type.Number(),
  /** The view that was used. */
  view: View,
  direction: Type.Enum(['read', 'write']),
  /** What the guest had reported the page as. */
  attribute: View,
});

/** An exception that the guest took itself. */
export const ExceptionEvent = Type.Object({
  ...stamp,
  ...place,
  kind: Type.Literal('fault'),
  fault: Type.Literal('exception'),
  /** 14 is a page fault. */
  vector: Type.Number(),
  errorCode: Type.Optional(Type.Number()),
  /** Of a page fault (CR2), hexadecimal. */
  address: Type.Optional(Type.String()),
});

export const FaultEvent = Type.Union([MemoryFaultEvent, WrongViewEvent, ExceptionEvent]);
export type FaultEvent = Static<typeof FaultEvent>;

/** Pages shared or taken back. */
export const ConversionEvent = Type.Object({
  ...stamp,
  ...place,
  kind: Type.Literal('conversion'),
  gpa: Type.Number(),
  bytes: Type.Number(),
  to: View,
  changedBytes: Type.Number(),
  discardedBytes: Type.Number(),
  ns: Type.Number(),
  /** The value that the guest got: 0, or a negative errno. */
  ret: Type.Number(),
});
export type ConversionEvent = Static<typeof ConversionEvent>;

/** Where the guest was. */
export const SampleEvent = Type.Object({
  ...stamp,
  ...place,
  kind: Type.Literal('sample'),
  /** Current privilege level, 0 for the kernel. */
  cpl: Type.Number(),
  /** It waited for an interrupt. */
  halted: Type.Boolean(),
});
export type SampleEvent = Static<typeof SampleEvent>;

export const TraceEvent = Type.Union([ExitEvent, FaultEvent, ConversionEvent, SampleEvent]);
export type TraceEvent = Static<typeof TraceEvent>;

/** Counted where it happens: exact also where events were lost. */
export const TraceTotals = Type.Object({
  /** Nanoseconds that the trace has been on. */
  ns: Type.Number(),
  /** By reason, where exits are traced; `ns` is time in the VMM. */
  exits: Type.Record(Type.String(), Type.Object({ count: Type.Number(), ns: Type.Number() })),
});
export type TraceTotals = Static<typeof TraceTotals>;

export const TracePage = Type.Object({
  events: Type.Array(TraceEvent),
  /** The sequence number to read from next. */
  next: Type.Number(),
  /** Events between those asked for and the first one here that were overwritten before they were read. */
  lost: Type.Number(),
  totals: TraceTotals,
  /** Set with the last page: why there are no more. */
  over: Type.Optional(Type.Enum(['told', 'time', 'vm-ended', 'unread'])),
});
export type TracePage = Static<typeof TracePage>;

export const TraceSince = Type.Object({ since: Type.Number({ minimum: 0 }) });
export const TraceQuery = Type.Object({
  since: Type.Number({ minimum: 0 }),
  /** Milliseconds to wait for an event; 0 unless said. Whoever goes away while waiting ends the trace. */
  waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
});
