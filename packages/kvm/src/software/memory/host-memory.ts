import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { HostMemory, SoftwareHostMemoryHandle } from '../../port/host-memory.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { HostRange } from './host-range.ts';
import { asEnomem } from './out-of-frames.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { RAW, type Views } from './views.ts';

/** What a range's memory is read and written through. */
export interface HostMemoryParts {
  readonly memory: PhysicalMemory;
  readonly views: Views;
  /** Takes the range out of the address space; null for memory that was opened from a handle and owns nothing. */
  readonly unmap: ((range: HostRange) => void) | null;
}

/**
 * A range of the virtual host address space, as the port gives it to user space. Every access is the host's: it sees
 * DRAM, so a frame that a guest has in an encrypted view is brought back to ciphertext first.
 *
 * KvmError EFAULT where a real process would get SIGSEGV or SIGBUS.
 */
export class SoftwareHostMemory implements HostMemory {
  readonly handle: SoftwareHostMemoryHandle;
  readonly hva: number;
  readonly size: number;
  readonly #range: HostRange;
  readonly #parts: HostMemoryParts;
  #isOpen = true;

  constructor(range: HostRange, parts: HostMemoryParts) {
    this.handle = { backend: 'software', ...range.shape };
    this.hva = range.hva;
    this.size = range.shape.size;
    this.#range = range;
    this.#parts = parts;
  }

  /** A page that has no frame reads as zeros, and gets none by that. */
  read(offset: number, length: number): Uint8Array {
    this.#inside(offset, length);
    const { all } = this.#parts.memory;
    const bytes = new Uint8Array(length);
    this.#eachPage(offset, length, (page, inPage, at, count) => {
      const address = this.#range.backing.frameAt(page);
      if (address === 0) return;
      this.#parts.views.materialise(address, RAW);
      bytes.set(all.subarray(address + inPage, address + inPage + count), at);
    });
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#inside(offset, bytes.length);
    const { all } = this.#parts.memory;
    this.#eachPage(offset, bytes.length, (page, inPage, at, count) => {
      const address = this.#touch(page) + inPage;
      all.set(bytes.subarray(at, at + count), address);
      this.#parts.memory.wrote(address, count);
    });
  }

  fill(offset: number, length: number, byte: number): void {
    this.#inside(offset, length);
    const { all } = this.#parts.memory;
    this.#eachPage(offset, length, (page, inPage, _, count) => {
      const address = this.#touch(page) + inPage;
      all.fill(byte, address, address + count);
      this.#parts.memory.wrote(address, count);
    });
  }

  discard(offset: number, length: number): void {
    const [start, end] = this.#pages('madvise', offset, length);
    this.#range.backing.discard(start, end);
  }

  populate(offset: number, length: number): void {
    const [start, end] = this.#pages('madvise', offset, length);
    const errno = this.#range.populateErrno(start, end);
    if (errno !== 0) throw failure('madvise', errno, 'MADV_POPULATE_WRITE');
    this.#range.backing.populate('madvise', start, end);
  }

  residentBytes(offset = 0, length = this.size - offset): number {
    const [start, end] = this.#pages('mincore', offset, length);
    return this.#range.backing.countIn(start, end) * PAGE_BYTES;
  }

  residency(offset: number, length: number): Uint8Array {
    const [start, end] = this.#pages('mincore', offset, length);
    const pages = new Uint8Array(end - start);
    this.#range.backing.forEach(start, end, (page) => {
      pages[page - start] = 1;
    });
    return pages;
  }

  protect(offset: number, length: number, access: 'none' | 'read-write'): void {
    const [start, end] = this.#pages('mprotect', offset, length);
    this.#range.protect(start, end, access);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.unmap?.(this.#range);
  }

  /** The page's frame in the raw view, given now where it has none. */
  #touch(page: number): number {
    try {
      const address = this.#range.backing.touch(page);
      this.#parts.views.materialise(address, RAW);
      return address;
    } catch (error) {
      throw asEnomem('host access', error);
    }
  }

  /** Visits the pages of a range of bytes: page, offset in it, offset in the range, bytes. */
  #eachPage(
    offset: number,
    length: number,
    visit: (page: number, inPage: number, at: number, count: number) => void,
  ): void {
    for (let at = 0; at < length; ) {
      const page = Math.floor((offset + at) / PAGE_BYTES);
      const inPage = (offset + at) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - inPage, length - at);
      if (!this.#range.isAccessible(page))
        throw failure('host access', ERRNO.EFAULT, `no access at ${(this.hva + offset + at).toString(16)}`);
      visit(page, inPage, at, count);
      at += count;
    }
  }

  /** A range of whole pages; a length is rounded up, as the kernel does. KvmError EINVAL for an offset inside a page. */
  #pages(call: string, offset: number, length: number): readonly [number, number] {
    this.#inside(offset, length);
    if (offset % PAGE_BYTES !== 0) throw failure(call, ERRNO.EINVAL, `offset ${offset} is inside a page`);
    return [offset / PAGE_BYTES, Math.ceil((offset + length) / PAGE_BYTES)];
  }

  #inside(offset: number, length: number): void {
    if (!this.#isOpen || !this.#range.isMapped) throw new RangeError('the memory is closed');
    if (offset < 0 || length < 0 || offset + length > this.size)
      throw new RangeError(`${length} bytes at ${offset} are not inside ${this.size} bytes`);
  }
}
