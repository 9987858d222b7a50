import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import { isWholePages, toPages, toS64, toU64 } from './u64.ts';

/** Pages [start, end) of a file. */
export interface FilePages {
  readonly start: number;
  readonly end: number;
}

/** What the two flags of KVM_CREATE_GUEST_MEMFD mean for a VM (API document; KVM_CAP_GUEST_MEMFD_FLAGS). */
export const GUEST_MEMFD_FLAGS = MEMORY_FLAGS.GUEST_MEMFD_FLAG_MMAP | MEMORY_FLAGS.GUEST_MEMFD_FLAG_INIT_SHARED;

/**
 * The pages of a guest_memfd of `size` bytes. KvmError EINVAL: a flag outside `allowed`, size 0, negative as a file
 * offset, or not whole pages (API document, KVM_CREATE_GUEST_MEMFD).
 */
export function checkCreate(size: U64, flags: U64, allowed: number): number {
  const bytes = toU64(size);
  if ((toU64(flags) & ~BigInt(allowed)) !== 0n) throw failure('KVM_CREATE_GUEST_MEMFD', ERRNO.EINVAL, 'flags');
  if (toS64(size) <= 0n || !isWholePages(bytes)) throw failure('KVM_CREATE_GUEST_MEMFD', ERRNO.EINVAL, 'size');
  return toPages(bytes);
}

/**
 * The pages that a fallocate(2) of a guest_memfd names. KvmError EINVAL: a negative offset, a length that is not
 * positive, or either not whole pages; EFBIG: an end beyond the largest file.
 */
export function checkFallocate(offset: U64, length: U64): FilePages {
  const start = toS64(offset);
  const bytes = toS64(length);
  if (start < 0n || bytes <= 0n) throw failure('fallocate', ERRNO.EINVAL);
  if (start + bytes >= 2n ** 63n) throw failure('fallocate', ERRNO.EFBIG);
  if (!isWholePages(start) || !isWholePages(bytes)) throw failure('fallocate', ERRNO.EINVAL, 'not whole pages');
  return { start: toPages(start), end: toPages(start + bytes) };
}
