import { KvmError } from '../port/errors.ts';
import { PAGE_BYTES } from '../port/guest-memory.ts';
import type { HostMemory, HostMemoryHandle, LinuxHostMemoryHandle } from '../port/host-memory.ts';
import { cacheFigures } from '../sys/cachestat.ts';
import { allocatedFileBytes, closeFile, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../sys/file.ts';
import {
  adviseMemory,
  MADV_DONTNEED,
  MADV_POPULATE_WRITE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  protectMemory,
  residentPages,
  unmapMemory,
} from '../sys/memory-map.ts';
import { MAX_WINDOW_VIEW_BYTES, ViewWindows } from './view-windows.ts';

/** Bytes that are asked of mincore at once: 256 KiB of answer. */
const MINCORE_STEP = 1 << 30;

/** Who closes what when the memory is closed: a handle opened in another thread owns nothing. */
export interface Ownership {
  readonly mapping: boolean;
  readonly fd: boolean;
}

/** Memory mapped in this process. */
export class LinuxHostMemory implements HostMemory {
  readonly handle: LinuxHostMemoryHandle;
  readonly hva: number;
  readonly size: number;
  readonly #owns: Ownership;
  readonly #windows: ViewWindows;
  #isOpen = true;

  constructor(handle: LinuxHostMemoryHandle, owns: Ownership) {
    this.handle = handle;
    this.hva = handle.hva;
    this.size = handle.size;
    this.#owns = owns;
    this.#windows = new ViewWindows(handle.hva, handle.size);
  }

  read(offset: number, length: number): Uint8Array {
    this.#inside(offset, length);
    if (length <= MAX_WINDOW_VIEW_BYTES) return this.#windows.view(offset, length).slice();
    const bytes = new Uint8Array(length);
    for (const [at, part] of this.#parts(offset, length)) bytes.set(part, at);
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#inside(offset, bytes.length);
    for (const [at, part] of this.#parts(offset, bytes.length)) part.set(bytes.subarray(at, at + part.length));
  }

  fill(offset: number, length: number, byte: number): void {
    this.#inside(offset, length);
    for (const [, part] of this.#parts(offset, length)) part.fill(byte);
  }

  discard(offset: number, length: number): void {
    this.#inside(offset, length);
    switch (this.handle.kind) {
      case 'anonymous':
        adviseMemory(this.hva + offset, length, MADV_DONTNEED);
        break;
      case 'memfd':
      case 'guest_memfd':
        fallocate(this.handle.fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset, length);
        break;
    }
  }

  populate(offset: number, length: number): void {
    this.#inside(offset, length);
    adviseMemory(this.hva + offset, length, MADV_POPULATE_WRITE);
  }

  residentBytes(offset = 0, length = this.size - offset): number {
    this.#inside(offset, length);
    switch (this.handle.kind) {
      case 'memfd':
        if (offset === 0 && length === this.size) return allocatedFileBytes(this.handle.fd);
        return this.#heldByFile(offset, length);
      case 'guest_memfd':
        // A length of 0 would reach to the end of the file.
        return length === 0 ? 0 : cacheFigures(this.handle.fd, offset, length).cached * PAGE_BYTES;
      case 'anonymous':
        return this.#countPages(offset, length) * PAGE_BYTES;
    }
  }

  residency(offset: number, length: number): Uint8Array {
    this.#inside(offset, length);
    return residentPages(this.hva + offset, length);
  }

  protect(offset: number, length: number, access: 'none' | 'read-write'): void {
    this.#inside(offset, length);
    protectMemory(this.hva + offset, length, access === 'none' ? PROT_NONE : PROT_READ | PROT_WRITE);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#windows.detach();
    if (this.#owns.mapping) unmapMemory(this.hva, this.size);
    if (this.#owns.fd) closeFile(this.handle.fd);
  }

  /** Views of a range, no longer than they can be, with where each begins in it. */
  *#parts(offset: number, length: number): Generator<readonly [at: number, part: Uint8Array]> {
    for (let at = 0; at < length; at += MAX_WINDOW_VIEW_BYTES)
      yield [at, this.#windows.view(offset + at, Math.min(MAX_WINDOW_VIEW_BYTES, length - at))];
  }

  /** What is swapped out counts, as in the file's blocks. Costs what is held, where mincore walks every page. */
  #heldByFile(offset: number, length: number): number {
    if (length === 0) return 0;
    try {
      const { cached, evicted } = cacheFigures(this.handle.fd, offset, length);
      return (cached + evicted) * PAGE_BYTES;
    } catch (error) {
      // Before Linux 6.5.
      if (!(error instanceof KvmError && error.code === 'ENOSYS')) throw error;
      return this.#countPages(offset, length) * PAGE_BYTES;
    }
  }

  #countPages(offset: number, length: number): number {
    let count = 0;
    for (let at = 0; at < length; at += MINCORE_STEP)
      for (const page of residentPages(this.hva + offset + at, Math.min(MINCORE_STEP, length - at))) count += page & 1;
    return count;
  }

  /** Safety: keeps every access, madvise, mprotect and mincore off whatever else lies in this process. */
  #inside(offset: number, length: number): void {
    if (!this.#isOpen) throw new RangeError('the memory is closed');
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new RangeError(`${length} bytes at ${offset} are not inside ${this.size} bytes`);
  }
}

/** TypeError for memory of another backend, which no system call can reach. */
export function linuxMemory(handle: HostMemoryHandle): LinuxHostMemoryHandle {
  if (handle.backend !== 'linux') throw new TypeError(`memory of the ${handle.backend} backend`);
  return handle;
}
