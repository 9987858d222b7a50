import type { MemoryRegion } from '../../port/vm.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import type { Descriptors } from './descriptors.ts';
import { SoftwareGuestMemfd } from './guest-memfd.ts';
import { type CheckedRegion, checkRegion, NR_MEMSLOTS, type RegionFile } from './memory-region-rules.ts';
import { Slot } from './slot.ts';

export interface MemslotsOptions {
  /** Id of the VM: a guest_memfd belongs to one. */
  readonly vm: number;
  readonly descriptors: Descriptors;
  /** Guest-physical page numbers are below. */
  readonly gfnEnd: number;
  /** Told that what guest pages [start, end) lead to has changed, or must be asked for again. */
  readonly onChange: (start: number, end: number) => void;
}

/** Flags that a slot keeps for its life. */
const FIXED_FLAGS = MEMORY_FLAGS.KVM_MEM_READONLY | MEMORY_FLAGS.KVM_MEM_GUEST_MEMFD;

/** A VM's memslots, under the rules of KVM_SET_USER_MEMORY_REGION(2) as Linux 6.18 answers them. */
export class Memslots {
  readonly #options: MemslotsOptions;
  readonly #byId = new Map<number, Slot>();
  /** By guest address, ascending. */
  #sorted: readonly Slot[] = [];
  /** The last one found. */
  #last: Slot | undefined;

  constructor(options: MemslotsOptions) {
    this.#options = options;
  }

  all(): readonly Slot[] {
    return this.#sorted;
  }

  /** The slot around a guest page. */
  find(gfn: number): Slot | undefined {
    const last = this.#last;
    if (last?.contains(gfn) === true) return last;
    let low = 0;
    let high = this.#sorted.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const slot = this.#sorted[middle];
      if (slot === undefined || gfn < slot.gfn) high = middle - 1;
      else if (gfn >= slot.gfn + slot.pages) low = middle + 1;
      else {
        this.#last = slot;
        return slot;
      }
    }
    return undefined;
  }

  /**
   * Creates, moves, changes or deletes a slot. KvmError: EINVAL, EEXIST where guest addresses overlap, EBADF for a
   * guest_memfd that is not open. `file` is null for the first of the two calls.
   */
  set(region: MemoryRegion, file: RegionFile | null): void {
    const checked = checkRegion(region, file);
    const old = this.#byId.get(checked.slot);
    if (checked.pages === 0) {
      if (old === undefined) throw failure(checked.call, ERRNO.EINVAL, `slot ${checked.slot} is not there`);
      this.#replace(old, undefined);
      return;
    }
    if (old !== undefined) this.#checkChange(checked, old);
    if (old !== undefined && old.gfn === checked.gfn && old.flags === checked.flags) return;
    if (old?.gfn !== checked.gfn) this.#checkPlace(checked);
    const slot = new Slot(checked, checked.guestMemfd < 0 ? null : this.#fileOf(checked), old);
    if (slot.file?.bind(slot, slot.filePage, slot.filePage + slot.pages) === false)
      // Linux 6.18; a later kernel says EEXIST.
      throw failure(checked.call, ERRNO.EINVAL, 'a part of the guest_memfd is behind another slot');
    if (checked.gfn + checked.pages > this.#options.gfnEnd) {
      slot.file?.unbind(slot);
      throw failure(checked.call, ERRNO.EINVAL, 'beyond the largest guest-physical address');
    }
    this.#replace(old, slot);
  }

  /**
   * KVM_GET_DIRTY_LOG into room for `pages` pages; the log starts anew. KvmError: EINVAL for a slot number that can't
   * be, ENOENT for one that is not there or doesn't log, EFAULT where the room is too small.
   */
  takeDirtyLog(id: number, pages: number): Uint8Array {
    const call = 'KVM_GET_DIRTY_LOG';
    if (id < 0 || id >= NR_MEMSLOTS) throw failure(call, ERRNO.EINVAL);
    const slot = this.#byId.get(id);
    if (slot === undefined || slot.dirty === null) throw failure(call, ERRNO.ENOENT);
    const log = new Uint8Array(Math.ceil(pages / 64) * 8);
    if (slot.dirty.bytes.length > log.length) throw failure(call, ERRNO.EFAULT, `the slot has ${slot.pages} pages`);
    log.set(slot.dirty.take());
    // The next write of each page must be seen again.
    this.#options.onChange(slot.gfn, slot.gfn + slot.pages);
    return log;
  }

  /** The VM is gone: its slots leave their guest_memfds. */
  clear(): void {
    for (const slot of this.#sorted) this.#replace(slot, undefined);
  }

  #checkChange(region: CheckedRegion, old: Slot): void {
    const refuse = (why: string) => failure(region.call, ERRNO.EINVAL, why);
    if (region.guestMemfd >= 0) throw refuse('a slot with a guest_memfd never changes');
    if (region.hva !== old.hva || region.pages !== old.pages) throw refuse('neither size nor host memory can change');
    if (((region.flags ^ old.flags) & FIXED_FLAGS) !== 0) throw refuse('these flags can not change');
  }

  #checkPlace(region: CheckedRegion): void {
    const end = region.gfn + region.pages;
    for (const other of this.#sorted)
      if (other.id !== region.slot && other.gfn < end && region.gfn < other.gfn + other.pages)
        throw failure(region.call, ERRNO.EEXIST, `overlaps slot ${other.id}`);
  }

  #fileOf(region: CheckedRegion): SoftwareGuestMemfd {
    const refuse = (why: string) => failure(region.call, ERRNO.EINVAL, why);
    const file = this.#options.descriptors.get(region.guestMemfd);
    if (file === undefined) throw failure(region.call, ERRNO.EBADF);
    if (!(file instanceof SoftwareGuestMemfd)) throw refuse('not a guest_memfd');
    if (file.shape.vm !== this.#options.vm) throw refuse('a guest_memfd of another VM');
    if (region.filePage < 0 || region.filePage + region.pages > file.shape.pages)
      throw refuse('beyond the end of the guest_memfd');
    return file;
  }

  #replace(old: Slot | undefined, slot: Slot | undefined): void {
    const id = slot?.id ?? old?.id ?? -1;
    old?.file?.unbind(old);
    if (slot === undefined) this.#byId.delete(id);
    else this.#byId.set(id, slot);
    this.#sorted = [...this.#byId.values()].sort((a, b) => a.gfn - b.gfn);
    this.#last = undefined;
    if (old !== undefined) this.#options.onChange(old.gfn, old.gfn + old.pages);
    if (slot !== undefined) this.#options.onChange(slot.gfn, slot.gfn + slot.pages);
  }
}
