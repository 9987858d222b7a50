import { type GpaRange, PAGE_BYTES, type View } from '@unpin/kvm';

/** KVM_HC_MAP_GPA_RANGE (Documentation/virt/kvm/x86/hypercalls.rst). */
export const MAP_GPA_RANGE = 12;

/** Negative errnos of the paravirtual ABI. */
export const HYPERCALL_EINVAL = -22;
export const HYPERCALL_ENOSYS = -1000;

/** Third argument: bits 3:0 are a page-size hint (0 4 KiB, 1 2 MiB, 2 1 GiB), bit 4 says encrypted. */
const HINT_MASK = 0x0f;
const LARGEST_HINT = 2;
const ENCRYPTED = 0x10;
const ALL_ATTRIBUTES = 0x1f;
/** First page count that no address space holds (52 physical bits). */
const TOO_MANY_PAGES = 2 ** 40;

export type MapRequest =
  | { readonly kind: 'convert'; readonly range: GpaRange; readonly to: View }
  | { readonly kind: 'refuse'; readonly why: string; readonly ret: number };

/**
 * Whether a guest's request can be done. KVM hands it over with GPA alignment, a count above 0 and wrap checked, and
 * leaves the attributes and the coverage by RAM to user space; all are checked here, since a doorbell asks as well.
 * The arguments are exact below 2^53 and larger than anything valid above. Pure.
 */
export function checkMapRequest(
  gpa: number,
  pages: number,
  attributes: number,
  covers: (range: GpaRange) => boolean,
): MapRequest {
  if (!Number.isSafeInteger(gpa) || gpa < 0 || gpa % PAGE_BYTES !== 0) return refuse('the address is not page-aligned');
  if (pages === 0) return refuse('no pages');
  if (!(pages < TOO_MANY_PAGES)) return refuse('the range wraps');
  if (!(attributes >= 0 && attributes <= ALL_ATTRIBUTES)) return refuse('reserved attribute bits are set');
  if ((attributes & HINT_MASK) > LARGEST_HINT) return refuse('an unknown page-size hint');
  const range = { gpa, size: pages * PAGE_BYTES };
  if (!covers(range)) return refuse('not all of the range is RAM');
  return { kind: 'convert', range, to: (attributes & ENCRYPTED) === 0 ? 'shared' : 'private' };
}

function refuse(why: string): MapRequest {
  return { kind: 'refuse', why, ret: HYPERCALL_EINVAL };
}
