export type HostMemoryKind = 'anonymous' | 'memfd' | 'guest_memfd';

interface HandleFields {
  readonly hva: number;
  readonly size: number;
  readonly kind: HostMemoryKind;
  /** -1 for anonymous memory. */
  readonly fd: number;
}

/** Structured-cloneable: the linux backend opens the same memory by it in another thread of the process. */
export interface LinuxHostMemoryHandle extends HandleFields {
  readonly backend: 'linux';
}

/** Numbers of one Kvm object, which only its own thread can look up: its frames move and may be ciphertext. */
export interface SoftwareHostMemoryHandle extends HandleFields {
  readonly backend: 'software';
}

/** What a backend's own helpers (pinning in parallel, userfaultfd) know a memory by. */
export type HostMemoryHandle = LinuxHostMemoryHandle | SoftwareHostMemoryHandle;

/**
 * Memory that can stand behind a memslot. Offsets and lengths are bytes.
 *
 * Bytes go in and out as copies; there are no live views. Behind an address of the software KVM the frame may be
 * another one a moment later, or show ciphertext: a view would see bytes that no host access can see, and would go
 * stale when the frame moves.
 */
export interface HostMemory {
  readonly handle: HostMemoryHandle;
  readonly hva: number;
  readonly size: number;
  /** A copy, as the host reads it: an encrypted private page comes as ciphertext. RangeError outside the memory. */
  read(offset: number, length: number): Uint8Array;
  /** Copies `bytes` in, of any length; the memory keeps no reference to them. RangeError outside the memory. */
  write(offset: number, bytes: Uint8Array): void;
  /** Sets `length` bytes to `byte` (0 to 255). Touches the pages, as `write` does: `discard` gives zeros for nothing. */
  fill(offset: number, length: number, byte: number): void;
  /** Gives pages back to the host; they read as zeros afterwards. Page-aligned. */
  discard(offset: number, length: number): void;
  /** Backs pages with frames before they are touched (MADV_POPULATE_WRITE). Page-aligned. */
  populate(offset: number, length: number): void;
  /** Bytes backed by frames, from the operating system (mincore, or the file's blocks). */
  residentBytes(offset?: number, length?: number): number;
  /** Which pages are backed: one byte a page, bit 0 (mincore). */
  residency(offset: number, length: number): Uint8Array;
  /** Takes access away (PROT_NONE) or gives it back. Page-aligned. */
  protect(offset: number, length: number, access: 'none' | 'read-write'): void;
  close(): void;
}

/** A long-term pin on a range: pages can't move while it is held. */
export interface Pin {
  readonly bytes: number;
  release(): void;
}
