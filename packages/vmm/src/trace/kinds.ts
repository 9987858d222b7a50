import type { TraceKind } from '@unpin/contract';

/** Kinds as bits of the control block's trace word. 0: nobody traces. */
export const TRACE_BITS: Readonly<Record<TraceKind, number>> = { exits: 1, faults: 2, conversions: 4, samples: 8 };

/** Pure. */
export function bitsOf(kinds: Iterable<TraceKind>): number {
  let bits = 0;
  for (const kind of kinds) bits |= TRACE_BITS[kind];
  return bits;
}
