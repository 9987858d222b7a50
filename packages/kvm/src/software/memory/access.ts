/** How a guest touches a page; bits of one number, so that asking allocates nothing. A read has none. */
export const ACCESS = {
  /** A store, or the write half of a read-modify-write. Also the processor's own A and D bits, with `walk`. */
  write: 1,
  execute: 2,
  /** By the processor's page walk. */
  walk: 4,
  /**
   * The C bit of the translation. An access without paging counts as encrypted (AMD64 APM 2, 15.34.5): its caller sets
   * the bit.
   */
  encrypted: 8,
} as const;

/**
 * What stands behind a guest page for one access:
 *
 * - `frame`: a host frame, in the view that the access sees.
 * - `mmio`: no slot, or a write to a read-only one: KVM_EXIT_MMIO.
 * - `memory-fault`: KVM_RUN answers EFAULT with KVM_EXIT_MEMORY_FAULT.
 * - `efault`: the slot's host addresses can't be used: KVM_RUN answers EFAULT.
 * - `enomem`: the host is out of frames: KVM_RUN answers ENOMEM.
 */
export type ResolvedKind = 'frame' | 'mmio' | 'memory-fault' | 'efault' | 'enomem';

/** Reused: valid until the next resolve of the same address space. */
export interface Resolved {
  kind: ResolvedKind;
  /** The frame's byte offset in host memory; 0 without a frame. */
  address: number;
  /** Whether later writes may go there unasked. */
  writable: boolean;
  /** KVM_MEMORY_EXIT_FLAG_PRIVATE, of a memory fault. */
  isPrivate: boolean;
}
