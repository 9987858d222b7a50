import { Extents } from '../../guest-memory/extents.ts';
import type { GuestMemfd } from '../../port/guest-memfd.ts';
import { PAGE_BYTES, type View } from '../../port/guest-memory.ts';
import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import type { Backing } from './backing.ts';
import type { Backings } from './backings.ts';
import type { Descriptors } from './descriptors.ts';
import { checkFallocate } from './guest-memfd-range.ts';
import { FRAME_SHIFT, type PhysicalMemory } from './physical-memory.ts';
import { isWholePages, toPages, toU64 } from './u64.ts';

/** What a guest_memfd is made with, and what a snapshot makes it again from. */
export interface GuestMemfdShape {
  readonly fd: number;
  readonly pages: number;
  readonly flags: number;
  /** Id of the VM that created it, which alone may put it behind a slot. */
  readonly vm: number;
  /**
   * In-place conversion (kernels after 7.2): a page serves both views, and the file itself knows which of its pages are
   * private. Without it the VM's attributes say which pages are the file's, and shared ones are other memory.
   */
  readonly inPlace: boolean;
}

/** What a guest_memfd lives in. */
export interface GuestMemfdParts {
  readonly memory: PhysicalMemory;
  readonly backings: Backings;
  readonly descriptors: Descriptors;
}

/** A part of the file behind a memslot. */
interface Binding {
  readonly slot: object;
  readonly start: number;
  readonly end: number;
}

/** A guest_memfd of the software KVM: page index → frame, sparse. Its frames don't move. */
export class SoftwareGuestMemfd implements GuestMemfd {
  readonly shape: GuestMemfdShape;
  readonly fd: number;
  readonly size: number;
  readonly backing: Backing;
  readonly #parts: GuestMemfdParts;
  /** By page of the file; looked at for in-place files only. */
  readonly #attributes: Extents<View>;
  #bindings: readonly Binding[] = [];
  #isOpen = true;
  /** The descriptor and each mapping hold the file's pages. */
  #holders = 1;

  constructor(shape: GuestMemfdShape, backing: Backing, parts: GuestMemfdParts) {
    this.shape = shape;
    this.fd = shape.fd;
    this.size = shape.pages * PAGE_BYTES;
    this.backing = backing;
    this.#parts = parts;
    this.#attributes = new Extents<View>(this.startsShared ? 'shared' : 'private');
  }

  /** False once its descriptor was closed: no slot is backed by it any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** GUEST_MEMFD_FLAG_MMAP: a slot on it takes all its memory from here, also the shared (API document). */
  get isMappable(): boolean {
    return (this.shape.flags & MEMORY_FLAGS.GUEST_MEMFD_FLAG_MMAP) !== 0;
  }

  get startsShared(): boolean {
    return (this.shape.flags & MEMORY_FLAGS.GUEST_MEMFD_FLAG_INIT_SHARED) !== 0;
  }

  allocate(offset: U64, length: U64): void {
    this.#mustBeOpen('fallocate');
    const { start, end } = checkFallocate(offset, length);
    if (end > this.shape.pages) throw failure('fallocate', ERRNO.EINVAL, 'past the end of the file');
    this.backing.populate('fallocate', start, end);
  }

  punch(offset: U64, length: U64): void {
    this.#mustBeOpen('fallocate');
    const { start, end } = checkFallocate(offset, length);
    this.backing.discard(start, end);
  }

  allocatedBytes(): number {
    this.#mustBeOpen('cachestat');
    return this.backing.allocatedPages * PAGE_BYTES;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.descriptors.close(this.fd);
    // A mapping may keep the frames, the guest doesn't: it must ask again, and is refused.
    this.backing.stale(0, this.shape.pages);
    this.release();
  }

  /** A mapping of it was made. */
  hold(): void {
    this.#holders += 1;
  }

  /** A mapping is gone. With the last holder the pages go back. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#parts.backings.drop(this.backing);
  }

  /** Whether user space's touch of a mapped page is no SIGBUS. */
  hostMayTouch(page: number): boolean {
    if (page >= this.shape.pages) return false;
    return this.shape.inPlace ? this.#attributes.at(page) === 'shared' : this.startsShared;
  }

  /** In-place files: the view that a page is in. */
  attributeOf(page: number): View {
    return this.#attributes.at(page);
  }

  attributeRuns(): readonly { readonly start: number; readonly end: number; readonly value: View }[] {
    return this.#attributes.runs(0, this.shape.pages);
  }

  /** Puts pages [start, end) behind a slot; false where a part of them is behind one already. */
  bind(slot: object, start: number, end: number): boolean {
    if (this.#bindings.some((binding) => start < binding.end && binding.start < end)) return false;
    this.#bindings = [...this.#bindings, { slot, start, end }];
    return true;
  }

  unbind(slot: object): void {
    this.#bindings = this.#bindings.filter((binding) => binding.slot !== slot);
  }

  /**
   * Converts a range of the file in place, as the call on its descriptor does (KVM_SET_MEMORY_ATTRIBUTES2). The bytes
   * stay in DRAM as they are. KvmError EINVAL: not an in-place file, a range that is not whole pages of it; EAGAIN: a
   * page that would become private is held by a pin.
   */
  convert(offset: U64, length: U64, to: View): void {
    const call = 'KVM_SET_MEMORY_ATTRIBUTES2';
    this.#mustBeOpen(call);
    const start = toU64(offset);
    const end = start + toU64(length);
    if (!this.shape.inPlace) throw failure(call, ERRNO.EINVAL, 'this guest_memfd is not converted in place');
    if (start === end || !isWholePages(start) || !isWholePages(end)) throw failure(call, ERRNO.EINVAL);
    if (end > BigInt(this.shape.pages) * BigInt(PAGE_BYTES)) throw failure(call, ERRNO.EINVAL, 'past the end');
    this.convertPages(call, toPages(start), toPages(end), to);
  }

  /** The same, of pages inside the file, for the VM's own call. */
  convertPages(call: string, start: number, end: number, to: View): void {
    if (to === 'private') this.#mustBeUnpinned(call, start, end);
    for (const run of this.#attributes.set(start, end, to)) this.backing.stale(run.start, run.end);
  }

  #mustBeUnpinned(call: string, start: number, end: number): void {
    this.backing.forEach(start, end, (page, address) => {
      if ((this.#parts.memory.pins[address >>> FRAME_SHIFT] ?? 0) > 0)
        throw failure(call, ERRNO.EAGAIN, `page ${page} of the file is pinned`);
    });
  }

  #mustBeOpen(call: string): void {
    if (!this.#isOpen) throw failure(call, ERRNO.EBADF);
  }
}
