import type { ExitEvent, FaultEvent, TraceEvent } from '@unpin/contract';
import { bytes, nanoseconds } from './units.ts';

/** Widths of a line's columns; the last has none. */
const WIDTHS = { at: 14, kind: 10, what: 15, where: 18, access: 15, took: 9 } as const;

interface Cells {
  readonly what: string;
  readonly where?: string;
  readonly access?: string;
  readonly ns?: number;
  readonly rest?: string;
}

/** One event of a trace as one line, its columns under those of the others. */
export function traceLine(event: TraceEvent): string {
  const { what, where = '', access = '', ns, rest = '' } = cellsOf(event);
  return [
    `${(event.atNs / 1e6).toFixed(3).padStart(WIDTHS.at - 3)} ms`,
    event.kind.padEnd(WIDTHS.kind),
    what.padEnd(WIDTHS.what),
    where.padEnd(WIDTHS.where),
    access.padEnd(WIDTHS.access),
    (ns === undefined ? '' : nanoseconds(ns)).padStart(WIDTHS.took),
    rest,
  ]
    .join('  ')
    .trimEnd();
}

function cellsOf(event: TraceEvent): Cells {
  switch (event.kind) {
    case 'exit':
      return exitCells(event);
    case 'fault':
      return faultCells(event);
    case 'conversion': {
      const { gpa, to, ns, ret, changedBytes, discardedBytes } = event;
      const refused = ret === 0 ? '' : `, refused (${ret})`;
      const effect = `changed ${bytes(changedBytes)}, gave back ${bytes(discardedBytes)}${refused}`;
      return { what: `→ ${to}`, where: hex(gpa), access: bytes(event.bytes), ns, rest: `${place(event)}  ${effect}` };
    }
    case 'sample':
      return { what: event.halted ? 'halted' : event.cpl === 0 ? 'kernel' : 'user', rest: place(event) };
  }
}

function exitCells(event: ExitEvent): Cells {
  const { reason, ns, port, gpa, msr, hypercall, code, view } = event;
  const where = port ?? gpa ?? msr ?? hypercall ?? code;
  const count = event.count === undefined ? '' : ` × ${event.count}`;
  const size = event.bytes === undefined ? '' : `${bytes(event.bytes)}${count}`;
  const access = [event.direction, size, view].filter((part) => part !== undefined && part !== '').join(' ');
  const isNumber = hypercall !== undefined || code !== undefined;
  const spelled = where === undefined ? '' : isNumber ? String(where) : hex(where);
  return { what: reason, where: spelled, access, ns };
}

function faultCells(event: FaultEvent): Cells {
  switch (event.fault) {
    case 'memory-fault': {
      const { gpa, view, errno } = event;
      return {
        what: event.fault,
        where: hex(gpa),
        access: bytes(event.bytes),
        rest: `${place(event)}  ${view}, errno ${errno}`,
      };
    }
    case 'wrong-view': {
      const { gpa, view, direction, attribute } = event;
      const rest = `${place(event)}  as ${view}, reported ${attribute}`;
      return { what: event.fault, where: hex(gpa), access: `${direction} ${bytes(event.bytes)}`, rest };
    }
    case 'exception': {
      const { vector, errorCode, address } = event;
      const code = errorCode === undefined ? '' : `error ${hex(errorCode)}`;
      return { what: exceptionName(vector), where: address ?? '', access: code, rest: place(event) };
    }
  }
}

/** Mnemonics of vectors 0 to 31 (AMD64 APM 2, 8.2). */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  2: 'NMI',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  7: '#NM',
  8: '#DF',
  10: '#TS',
  11: '#NP',
  12: '#SS',
  13: '#GP',
  14: '#PF',
  16: '#MF',
  17: '#AC',
  18: '#MC',
  19: '#XF',
  21: '#CP',
  28: '#HV',
  29: '#VC',
  30: '#SX',
};

export function exceptionName(vector: number): string {
  return EXCEPTIONS[vector] ?? `vector ${vector}`;
}

function place({ rip, symbol }: { readonly rip: string; readonly symbol?: string | undefined }): string {
  return symbol === undefined ? rip : `${symbol} (${rip})`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
