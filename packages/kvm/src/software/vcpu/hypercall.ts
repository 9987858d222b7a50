import { PARAVIRT } from '../../uapi/constants.ts';

const VAPIC_POLL_IRQ = 1;
const EPERM = 1;
const EINVAL = 22;
const PAGE_MASK = 0xfff;
const WORD = 2 ** 32;
/** 2^52 pages: all of the address space. */
const PAGES_END = 2 ** 52;

/** A hypercall as the guest's registers have it. */
export interface HypercallRequest {
  /** RAX as a number: exact below 2^53, and above no number that KVM knows. */
  readonly nr: number;
  readonly cpl: number;
  /** KVM_CAP_EXIT_HYPERCALL's mask of this VM. */
  readonly exits: number;
  /** Halves of argument 0 and 1. */
  readonly gpaLow: number;
  readonly gpaHigh: number;
  readonly pagesLow: number;
  readonly pagesHigh: number;
}

/**
 * What KVM does with a hypercall (Documentation/virt/kvm/x86/hypercalls.rst; kernel, arch/x86/kvm/x86.c): answers it,
 * or 'exit' for user space. Nothing but address and count is checked. Pure.
 */
export function judgeHypercall(request: HypercallRequest): number | 'exit' {
  if (request.cpl !== 0) return -EPERM;
  switch (request.nr) {
    case VAPIC_POLL_IRQ:
      return 0;
    case PARAVIRT.KVM_HC_MAP_GPA_RANGE: {
      if ((request.exits & (1 << PARAVIRT.KVM_HC_MAP_GPA_RANGE)) === 0) return -PARAVIRT.KVM_ENOSYS;
      const { gpaLow, gpaHigh, pagesLow, pagesHigh } = request;
      if ((gpaLow & PAGE_MASK) !== 0 || (pagesLow | pagesHigh) === 0) return -EINVAL;
      const firstPage = gpaHigh * (WORD / 4096) + (gpaLow >>> 12);
      // KVM refuses what wraps in page numbers of 64 bits: only a count of nearly 2^64 does.
      return wraps(firstPage, pagesLow, pagesHigh) ? -EINVAL : 'exit';
    }
    default:
      return -PARAVIRT.KVM_ENOSYS;
  }
}

/** Whether first + count passes 2^64. `first` is below 2^52. */
function wraps(first: number, low: number, high: number): boolean {
  if (first < 0 || first > PAGES_END) return true;
  const sum = (first % WORD) + low;
  return Math.floor(first / WORD) + high + (sum >= WORD ? 1 : 0) >= WORD;
}
