import { type GuestMemory, PAGE_BYTES, type View } from '@unpin/kvm';
import type { Regime } from '@unpin/policy';
import { nowMs } from '../clock.ts';
import { checkMapRequest } from './map-gpa-range.ts';
import type { ConversionRecord } from './messages.ts';

/** What a conversion needs besides its arguments. */
export interface ConversionContext {
  readonly memory: GuestMemory;
  readonly regime: Regime;
  /** The guest's RIP, asked for only where it is written down. */
  readonly rip: () => bigint;
  readonly record: (entry: ConversionRecord) => void;
}

/**
 * Does what a guest asked for by KVM_HC_MAP_GPA_RANGE (or the doorbell that stands in for it) and answers what it gets.
 * For types whose guests need not report, a report is noted and memory stays as it is: the host sees both views there.
 */
export function convertByRequest(context: ConversionContext, gpa: number, pages: number, attributes: number): number {
  const { memory, regime } = context;
  const request = checkMapRequest(gpa, pages, attributes, (range) => memory.covers(range));
  const atMs = nowMs();
  const place = { atMs, gpa, bytes: pages * PAGE_BYTES, rip: context.rip() };
  if (request.kind === 'refuse') {
    const to: View = (attributes & 0x10) === 0 ? 'shared' : 'private';
    context.record({ ...place, to, changedBytes: 0, discardedBytes: 0, microseconds: 0, ret: request.ret });
    return request.ret;
  }
  const reported = regime.conversions === 'hypercall';
  const outcome = reported ? memory.convert(request.range, request.to) : { changed: 0, discarded: 0 };
  context.record({
    ...place,
    to: request.to,
    changedBytes: outcome.changed,
    discardedBytes: outcome.discarded,
    microseconds: Math.round((nowMs() - atMs) * 1000),
    ret: 0,
  });
  return 0;
}
