import type { MsrFilterRange } from '../port/vm.ts';
import { addressOf } from '../sys/memory-view.ts';
import { DEVICE_FLAGS } from '../uapi/constants.ts';
import { MSR_FILTER, MSR_FILTER_RANGE } from '../uapi/vm-structs.ts';

/**
 * struct kvm_msr_filter. It points at the bitmaps, which must stay reachable until the call is back. RangeError for
 * more ranges than the struct holds, or a bitmap shorter than its range: the kernel would read past it.
 */
export function encodeMsrFilter(
  flags: number,
  ranges: readonly MsrFilterRange[],
): { readonly filter: Uint8Array; readonly bitmaps: readonly Uint8Array[] } {
  if (ranges.length > DEVICE_FLAGS.KVM_MSR_FILTER_MAX_RANGES)
    throw new RangeError(`an MSR filter has at most 16 ranges, not ${ranges.length}`);
  const filter = MSR_FILTER.make().set('flags', flags);
  for (const [index, range] of ranges.entries()) {
    // The kernel copies whole longs.
    const needed = Math.ceil(range.count / 64) * 8;
    if (range.bitmap.length < needed) throw new RangeError(`a filter of ${range.count} MSRs needs ${needed} bytes`);
    MSR_FILTER_RANGE.at(filter.bytes.buffer, MSR_FILTER.fields.ranges.offset + index * MSR_FILTER_RANGE.size)
      .set('flags', range.flags)
      .set('nmsrs', range.count)
      .set('base', range.base)
      .set('bitmap', addressOf(range.bitmap));
  }
  return { filter: filter.bytes, bitmaps: ranges.map((range) => range.bitmap) };
}
