import type { U64 } from '../../port/u64.ts';
import type { MemoryRegion } from '../../port/vm.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import { USER_ADDRESS_END } from './host-address-space.ts';
import { isWholePages, toPages, toU64, wraps } from './u64.ts';

/** KVM_CAP_NR_MEMSLOTS of x86: 32767 less three that KVM keeps to itself. */
export const NR_MEMSLOTS = 32_764;
/** A slot's pages are counted in 31 bits. */
const MAX_SLOT_PAGES = 2 ** 31 - 1;

const { KVM_MEM_LOG_DIRTY_PAGES: LOG_DIRTY, KVM_MEM_READONLY: READONLY, KVM_MEM_GUEST_MEMFD } = MEMORY_FLAGS;

export type RegionCall = 'KVM_SET_USER_MEMORY_REGION' | 'KVM_SET_USER_MEMORY_REGION2';

/** What the second call has more than the first. */
export interface RegionFile {
  readonly guestMemfd: number;
  readonly guestMemfdOffset: U64;
}

/** A region whose numbers were checked. Page numbers and addresses are exact. */
export interface CheckedRegion {
  readonly call: RegionCall;
  readonly slot: number;
  readonly flags: number;
  readonly gfn: number;
  /** 0 deletes the slot. */
  readonly pages: number;
  readonly hva: number;
  /** The guest_memfd of a region with KVM_MEM_GUEST_MEMFD; -1 without. */
  readonly guestMemfd: number;
  /** Page of the file; -1 where it lies beyond every file. */
  readonly filePage: number;
}

/**
 * The rules of a memory region that need no look at the VM's other slots: KvmError EINVAL (API document,
 * KVM_SET_USER_MEMORY_REGION and ..REGION2; kernel, virt/kvm/kvm_main.c). `file` is null for the first call, which
 * doesn't know KVM_MEM_GUEST_MEMFD.
 */
export function checkRegion(region: MemoryRegion, file: RegionFile | null): CheckedRegion {
  const call: RegionCall = file === null ? 'KVM_SET_USER_MEMORY_REGION' : 'KVM_SET_USER_MEMORY_REGION2';
  const refuse = (why: string) => failure(call, ERRNO.EINVAL, why);
  const flags = region.flags >>> 0;
  const behind = (flags & KVM_MEM_GUEST_MEMFD) === 0 ? null : file;
  // A slot with a guest_memfd can neither be logged nor be read-only.
  const known = behind === null ? LOG_DIRTY | READONLY : KVM_MEM_GUEST_MEMFD;
  if ((flags & ~known) !== 0) throw refuse('flags');

  const size = toU64(region.size);
  const gpa = toU64(region.gpa);
  const hva = toU64(region.hva);
  if (!isWholePages(size)) throw refuse('size is not whole pages');
  if (!isWholePages(gpa)) throw refuse('guest address inside a page');
  if (!isWholePages(hva)) throw refuse('host address inside a page');
  if (hva + size > BigInt(USER_ADDRESS_END)) throw refuse('no user addresses');
  const offset = behind === null ? 0n : toU64(behind.guestMemfdOffset);
  if (!isWholePages(offset) || wraps(offset, size)) throw refuse('offset into the guest_memfd');
  // Bits 31:16 are the address space; without SMM there is one.
  if (region.slot >>> 16 !== 0) throw refuse('no such address space');
  if (region.slot >= NR_MEMSLOTS) throw refuse(`slots end at ${NR_MEMSLOTS - 1}`);
  if (wraps(gpa, size)) throw refuse('the range wraps');
  if (toPages(size) > MAX_SLOT_PAGES) throw refuse('too many pages');
  return {
    call,
    slot: region.slot,
    flags,
    gfn: toPages(gpa),
    pages: toPages(size),
    hva: Number(hva),
    guestMemfd: behind === null ? -1 : behind.guestMemfd,
    filePage: offset + size >= 2n ** 63n ? -1 : toPages(offset),
  };
}
