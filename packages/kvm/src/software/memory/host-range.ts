import { Extents } from '../../guest-memory/extents.ts';
import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { HostMemoryKind } from '../../port/host-memory.ts';
import { ERRNO } from '../../sys/errno.ts';
import type { Backing } from './backing.ts';
import type { SoftwareGuestMemfd } from './guest-memfd.ts';

/** What a mapping is made with, and what a snapshot makes it again from. */
export interface HostRangeShape {
  readonly hva: number;
  /** Bytes, as asked for. */
  readonly size: number;
  readonly kind: HostMemoryKind;
  /** -1 for anonymous memory. */
  readonly fd: number;
}

export type HostAccess = 'none' | 'read-write';

/**
 * A range of host-virtual addresses and the memory object behind it. The addresses are made up: nothing is mapped in
 * this process, and a page has no frame until the guest or the host touches it.
 */
export class HostRange {
  readonly shape: HostRangeShape;
  readonly hva: number;
  readonly pages: number;
  /** The first address behind the range. */
  readonly end: number;
  readonly backing: Backing;
  /** The file, for a mapping of a guest_memfd. */
  readonly file: SoftwareGuestMemfd | null;
  /** Null as long as nothing was ever protected. */
  #access: Extents<HostAccess> | null = null;
  #isMapped = true;

  constructor(shape: HostRangeShape, backing: Backing, file: SoftwareGuestMemfd | null) {
    this.shape = shape;
    this.hva = shape.hva;
    this.pages = Math.ceil(shape.size / PAGE_BYTES);
    this.end = shape.hva + this.pages * PAGE_BYTES;
    this.backing = backing;
    this.file = file;
  }

  /** False once it was unmapped. */
  get isMapped(): boolean {
    return this.#isMapped;
  }

  unmap(): void {
    this.#isMapped = false;
  }

  contains(hva: number): boolean {
    return hva >= this.hva && hva < this.end;
  }

  /** Whether a page may be used, by the host and by a guest through a memslot. */
  isAccessible(page: number): boolean {
    if (this.#access !== null && this.#access.at(page) === 'none') return false;
    return this.file === null || this.file.hostMayTouch(page);
  }

  /** The errno of populating [start, end) (madvise(2), MADV_POPULATE_WRITE); 0 where all of it may be used. */
  populateErrno(start: number, end: number): number {
    if (this.#access?.runs(start, end).some((run) => run.value === 'none') === true) return ERRNO.EINVAL;
    for (let page = start; this.file !== null && page < end; page++)
      if (!this.file.hostMayTouch(page)) return ERRNO.EFAULT;
    return 0;
  }

  /** Sets the access of pages [start, end); whoever looked them up must ask again. */
  protect(start: number, end: number, access: HostAccess): void {
    if (this.#access === null && access === 'read-write') return;
    this.#access ??= new Extents<HostAccess>('read-write');
    for (const run of this.#access.set(start, end, access)) this.backing.stale(run.start, run.end);
  }

  /** Runs without access. */
  protectedRuns(): readonly { readonly start: number; readonly end: number }[] {
    return this.#access?.runs(0, this.pages).filter((run) => run.value === 'none') ?? [];
  }
}
