import { type ExitKind, PAGE_BYTES, type View } from '@unpin/kvm';
import { EXIT_KINDS } from '../machine/control-block.ts';
import { FIELD, FLAG, RECORD, type TraceBuffer } from './trace-buffer.ts';

/** One record of a trace as it was written. Times in nanoseconds, on the machine's clock. */
export type TraceRecord =
  | ExitRecord
  | (Placed & {
      readonly kind: 'memory-fault';
      readonly gpa: number;
      readonly bytes: number;
      readonly view: View;
      readonly errno: number;
    })
  | (Placed & {
      readonly kind: 'wrong-view';
      readonly gpa: number;
      readonly bytes: number;
      readonly view: View;
      readonly isWrite: boolean;
      readonly attribute: View;
    })
  | (Placed & {
      readonly kind: 'exception';
      readonly vector: number;
      readonly errorCode: number | undefined;
      readonly address: bigint;
    })
  | (Placed & {
      readonly kind: 'conversion';
      readonly gpa: number;
      readonly bytes: number;
      readonly to: View;
      readonly changedBytes: number;
      readonly discardedBytes: number;
      readonly ns: number;
      readonly ret: number;
    })
  | (Placed & { readonly kind: 'sample'; readonly cpl: number; readonly halted: boolean });

export interface ExitRecord {
  readonly kind: 'exit';
  readonly atNs: number;
  readonly reason: ExitKind;
  readonly ns: number;
  /** Port, GPA, MSR or number, by the reason. */
  readonly place: number;
  readonly bytes: number;
  readonly count: number;
  readonly isWrite: boolean;
  readonly view: View;
}

interface Placed {
  readonly atNs: number;
  readonly rip: bigint;
}

/** @param at index of the record's first word. Answers undefined for what no version of this wrote. */
export function decodeRecord({ u32, f64 }: TraceBuffer, at: number): TraceRecord | undefined {
  const word = (field: number): number => u32[at + field] ?? 0;
  const double = (field: number): number => f64[(at >> 1) + field] ?? 0;
  const flags = word(FIELD.flags);
  const view = (flag: number): View => ((flags & flag) === 0 ? 'shared' : 'private');
  const atNs = double(FIELD.at);
  const bytes = word(FIELD.size);
  if (word(FIELD.tag) === RECORD.exit) {
    const reason = EXIT_KINDS[word(FIELD.code)];
    if (reason === undefined) return undefined;
    const place = double(FIELD.place);
    const count = double(FIELD.amount);
    const isWrite = (flags & FLAG.write) !== 0;
    return { kind: 'exit', atNs, reason, ns: double(FIELD.ns), place, bytes, count, isWrite, view: view(FLAG.private) };
  }
  const placed = { atNs, rip: wide(word(FIELD.ripHigh), word(FIELD.ripLow)) };
  const gpa = double(FIELD.place);
  switch (word(FIELD.tag)) {
    case RECORD.memoryFault:
      return {
        ...placed,
        kind: 'memory-fault',
        gpa,
        bytes,
        view: view(FLAG.private),
        errno: double(FIELD.amount),
      };
    case RECORD.wrongView:
      return {
        ...placed,
        kind: 'wrong-view',
        gpa,
        bytes,
        view: view(FLAG.private),
        isWrite: (flags & FLAG.write) !== 0,
        attribute: view(FLAG.attributePrivate),
      };
    case RECORD.exception:
      return {
        ...placed,
        kind: 'exception',
        vector: word(FIELD.code),
        errorCode: (flags & FLAG.hasErrorCode) === 0 ? undefined : word(FIELD.size),
        address: wide(word(FIELD.addressHigh), word(FIELD.addressLow)),
      };
    case RECORD.conversion:
      return {
        ...placed,
        kind: 'conversion',
        gpa,
        bytes: double(FIELD.amount),
        to: view(FLAG.private),
        changedBytes: word(FIELD.code) * PAGE_BYTES,
        discardedBytes: bytes * PAGE_BYTES,
        ns: double(FIELD.ns),
        ret: double(FIELD.ret),
      };
    case RECORD.sample:
      return { ...placed, kind: 'sample', cpl: word(FIELD.code), halted: (flags & FLAG.halted) !== 0 };
    default:
      return undefined;
  }
}

function wide(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}
