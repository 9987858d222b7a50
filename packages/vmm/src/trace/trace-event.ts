import type { ExitEvent, TraceEvent, TraceKind } from '@unpin/contract';
import type { Sequenced } from './trace-reader.ts';
import type { ExitRecord, TraceRecord } from './trace-record.ts';

/** What it takes to say a record in the contract's words. */
export interface Telling {
  /** The first instruction, in nanoseconds on the machine's clock; undefined where it isn't known yet. */
  readonly firstNs: number | undefined;
  readonly nameOf: (rip: bigint) => string | undefined;
}

/** A kernel's own table names no user code. */
const KERNEL_CPL = 0;

/** Which kind of trace a record belongs to. Pure. */
export function kindOf(kind: TraceRecord['kind']): TraceKind {
  switch (kind) {
    case 'exit':
      return 'exits';
    case 'memory-fault':
    case 'wrong-view':
    case 'exception':
      return 'faults';
    case 'conversion':
      return 'conversions';
    case 'sample':
      return 'samples';
  }
}

/** The place whose name a record is told with; undefined where it has none. Pure. */
export function placeToName(record: TraceRecord): bigint | undefined {
  if (record.kind === 'exit') return undefined;
  return record.kind === 'sample' && record.cpl !== KERNEL_CPL ? undefined : record.rip;
}

/** Pure, but for what names are known. */
export function traceEvent({ seq, record }: Sequenced, { firstNs, nameOf }: Telling): TraceEvent {
  const stamp = { seq, atNs: Math.round(record.atNs - (firstNs ?? record.atNs)) };
  if (record.kind === 'exit') return exitEvent(stamp, record);
  const toName = placeToName(record);
  const symbol = toName === undefined ? undefined : nameOf(toName);
  const place = { rip: hex(record.rip), ...(symbol === undefined ? {} : { symbol }) };
  switch (record.kind) {
    case 'memory-fault': {
      const { gpa, bytes, view, errno } = record;
      return { ...stamp, ...place, kind: 'fault', fault: 'memory-fault', gpa, bytes, view, errno };
    }
    case 'wrong-view': {
      const { gpa, bytes, view, attribute } = record;
      const direction = record.isWrite ? 'write' : 'read';
      return { ...stamp, ...place, kind: 'fault', fault: 'wrong-view', gpa, bytes, view, direction, attribute };
    }
    case 'exception': {
      const { vector, errorCode, address } = record;
      return {
        ...stamp,
        ...place,
        kind: 'fault',
        fault: 'exception',
        vector,
        ...(errorCode === undefined ? {} : { errorCode }),
        ...(vector === PAGE_FAULT ? { address: hex(address) } : {}),
      };
    }
    case 'conversion': {
      const { gpa, bytes, to, changedBytes, discardedBytes, ret } = record;
      const ns = Math.round(record.ns);
      return { ...stamp, ...place, kind: 'conversion', gpa, bytes, to, changedBytes, discardedBytes, ns, ret };
    }
    case 'sample':
      return { ...stamp, ...place, kind: 'sample', cpl: record.cpl, halted: record.halted };
  }
}

/** AMD64 APM 2, 8.2.15 */
const PAGE_FAULT = 14;

function exitEvent(stamp: { seq: number; atNs: number }, record: ExitRecord): ExitEvent {
  const { reason, bytes, count, isWrite, place, view } = record;
  const common = { ...stamp, kind: 'exit', reason, ns: Math.round(record.ns) } as const;
  switch (reason) {
    case 'io':
      return {
        ...common,
        port: place,
        bytes,
        direction: isWrite ? 'out' : 'in',
        ...(count === 1 ? {} : { count }),
      };
    case 'mmio':
      return { ...common, gpa: place, bytes, direction: isWrite ? 'write' : 'read' };
    case 'memory-fault':
      return { ...common, gpa: place, bytes, view };
    case 'rdmsr':
    case 'wrmsr':
      return { ...common, msr: place };
    case 'hypercall':
      return { ...common, hypercall: place };
    case 'system-event':
    case 'internal-error':
    case 'unsupported':
      return { ...common, code: place };
    case 'hlt':
    case 'shutdown':
    case 'fail-entry':
    case 'intr':
    case 'irq-window-open':
      return common;
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
