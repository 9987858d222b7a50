/** Structured-cloneable: opens the same memory in another thread of the process. */
export interface HostMemoryHandle {
  readonly hva: number;
  readonly size: number;
  readonly kind: HostMemoryKind;
  /** -1 for anonymous memory. */
  readonly fd: number;
}

export type HostMemoryKind = 'anonymous' | 'memfd' | 'guest_memfd';

/** Longest view that is handed out, in bytes: Node dies on an external buffer above 4 GiB. */
export const MAX_VIEW_BYTES = 1 << 30;

/** Memory of this process that can stand behind a memslot. Offsets and lengths are bytes. */
export interface HostMemory {
  readonly handle: HostMemoryHandle;
  readonly hva: number;
  readonly size: number;
  /** A live view, at most MAX_VIEW_BYTES long. RangeError outside the memory. */
  view(offset: number, length: number): Uint8Array;
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
