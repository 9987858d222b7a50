import type { MsrFilterRange } from '../port/vm.ts';
import { ERRNO, failure } from '../sys/errno.ts';
import { DEVICE_FLAGS } from '../uapi/constants.ts';

const { KVM_MSR_FILTER_READ, KVM_MSR_FILTER_WRITE, KVM_MSR_FILTER_DEFAULT_DENY, KVM_MSR_FILTER_MAX_RANGES } =
  DEVICE_FLAGS;
const RANGE_FLAGS = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE;
/** KVM_MSR_FILTER_MAX_BITMAP_SIZE. */
const MAX_BITMAP_BYTES = 0x600;
/** Those of an x2APIC always pass (API document, KVM_X86_SET_MSR_FILTER). */
const X2APIC_FIRST = 0x800;
const X2APIC_LAST = 0x8ff;

const refuse = (why: string) => failure('KVM_X86_SET_MSR_FILTER', ERRNO.EINVAL, why);

interface Range {
  readonly flags: number;
  readonly base: number;
  readonly count: number;
  readonly bitmap: Uint8Array;
}

/** Which MSRs a guest may touch (KVM_X86_SET_MSR_FILTER). */
export class MsrFilter {
  readonly #ranges: readonly Range[];
  readonly #allowsRest: boolean;

  /** KvmError EINVAL as the API document says; RangeError for more ranges or shorter bitmaps than the call can carry. */
  constructor(flags: number, ranges: readonly MsrFilterRange[]) {
    if (ranges.length > KVM_MSR_FILTER_MAX_RANGES)
      throw new RangeError(`an MSR filter has at most ${KVM_MSR_FILTER_MAX_RANGES} ranges, not ${ranges.length}`);
    if ((flags & ~KVM_MSR_FILTER_DEFAULT_DENY) !== 0) throw refuse('flags');
    this.#allowsRest = (flags & KVM_MSR_FILTER_DEFAULT_DENY) === 0;
    // KVM skips ranges of no MSRs, whatever else they say.
    const used = ranges.filter(({ count }) => count > 0);
    if (used.length === 0 && !this.#allowsRest) throw refuse('denies everything');
    this.#ranges = used.map((range) => {
      const bytes = Math.ceil(range.count / 64) * 8;
      if ((range.flags & ~RANGE_FLAGS) !== 0) throw refuse('flags of a range');
      if (bytes > MAX_BITMAP_BYTES) throw refuse('too many MSRs in a range');
      if (range.bitmap.length < bytes) throw new RangeError(`a filter of ${range.count} MSRs needs ${bytes} bytes`);
      return { flags: range.flags, base: range.base >>> 0, count: range.count, bitmap: range.bitmap.slice(0, bytes) };
    });
  }

  /** What makes the same filter again. */
  get flags(): number {
    return this.#allowsRest ? 0 : KVM_MSR_FILTER_DEFAULT_DENY;
  }

  get ranges(): readonly MsrFilterRange[] {
    return this.#ranges;
  }

  /** Whether everything passes, so that nobody need be asked. */
  get isOpen(): boolean {
    return this.#allowsRest && this.#ranges.length === 0;
  }

  allows(index: number, access: 'read' | 'write'): boolean {
    if (index >= X2APIC_FIRST && index <= X2APIC_LAST) return true;
    const flag = access === 'read' ? KVM_MSR_FILTER_READ : KVM_MSR_FILTER_WRITE;
    for (const { flags, base, count, bitmap } of this.#ranges) {
      const at = index - base;
      if (at < 0 || at >= count || (flags & flag) === 0) continue;
      return (((bitmap[at >>> 3] ?? 0) >>> (at & 7)) & 1) === 1;
    }
    return this.#allowsRest;
  }
}
