import type { TraceTotals } from '@unpin/contract';
import { EXIT_KINDS } from '../machine/control-block.ts';
import type { TraceBuffer } from './trace-buffer.ts';

/** The counters of a trace buffer as they are now. */
export function totalsNow({ totals }: TraceBuffer): Float64Array {
  return Float64Array.from(totals);
}

/** What was counted between two looks, by reason. Pure. */
export function exitsBetween(before: Float64Array, after: Float64Array): TraceTotals['exits'] {
  const exits: TraceTotals['exits'] = {};
  for (const [index, kind] of EXIT_KINDS.entries()) {
    const since = (at: number): number => (after[at] ?? 0) - (before[at] ?? 0);
    const count = since(index * 2);
    if (count > 0) exits[kind] = { count, ns: Math.round(since(index * 2 + 1)) };
  }
  return exits;
}
