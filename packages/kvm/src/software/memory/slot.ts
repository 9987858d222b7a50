import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import { DirtyBitmap } from './dirty-bitmap.ts';
import type { SoftwareGuestMemfd } from './guest-memfd.ts';
import type { HostRange } from './host-range.ts';
import type { CheckedRegion } from './memory-region-rules.ts';

/** A memslot: guest pages [gfn, gfn + pages), the host addresses behind them, and perhaps a part of a guest_memfd. */
export class Slot {
  readonly id: number;
  readonly flags: number;
  readonly gfn: number;
  readonly pages: number;
  readonly hva: number;
  readonly isReadOnly: boolean;
  readonly file: SoftwareGuestMemfd | null;
  readonly filePage: number;
  /** Null where the slot doesn't log. */
  readonly dirty: DirtyBitmap | null;
  /** The range of host addresses that the last lookup found; may be unmapped by now. */
  range: HostRange | null = null;

  /** `old` is the slot that it takes the place of: its log goes on where both log. */
  constructor(region: CheckedRegion, file: SoftwareGuestMemfd | null, old: Slot | undefined) {
    this.id = region.slot;
    this.flags = region.flags;
    this.gfn = region.gfn;
    this.pages = region.pages;
    this.hva = region.hva;
    this.isReadOnly = (region.flags & MEMORY_FLAGS.KVM_MEM_READONLY) !== 0;
    this.file = file;
    this.filePage = region.filePage;
    const logs = (region.flags & MEMORY_FLAGS.KVM_MEM_LOG_DIRTY_PAGES) !== 0;
    this.dirty = logs ? (old?.dirty ?? new DirtyBitmap(region.pages)) : null;
  }

  contains(gfn: number): boolean {
    return gfn >= this.gfn && gfn < this.gfn + this.pages;
  }
}
