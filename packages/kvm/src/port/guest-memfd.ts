import type { U64 } from './u64.ts';

/** A guest_memfd (KVM_CREATE_GUEST_MEMFD): private memory in a file that user space can't map unless created so. */
export interface GuestMemfd {
  readonly fd: number;
  /** Size in bytes, fixed at creation. */
  readonly size: number;
  /** fallocate(KEEP_SIZE): allocates pages. Errors: EINVAL unaligned or past the end. */
  allocate(offset: U64, length: U64): void;
  /** fallocate(KEEP_SIZE | PUNCH_HOLE): gives pages back. Errors: EINVAL unaligned. */
  punch(offset: U64, length: U64): void;
  /** Bytes allocated, from the operating system (cachestat: st_blocks stays 0). */
  allocatedBytes(): number;
  close(): void;
}
