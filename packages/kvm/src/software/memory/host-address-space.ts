import type { HostMemory, HostMemoryHandle } from '../../port/host-memory.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { Backing } from './backing.ts';
import type { Backings } from './backings.ts';
import type { Descriptors } from './descriptors.ts';
import { SoftwareGuestMemfd } from './guest-memfd.ts';
import { SoftwareHostMemory } from './host-memory.ts';
import { HostRange, type HostRangeShape } from './host-range.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import type { Views } from './views.ts';

/** The first address that is given out. Nothing of this process lies there, so that a mixed-up address is seen. */
const FIRST_HVA = 0x2000_0000_0000;
/** User addresses end here (x86-64 with four levels: TASK_SIZE_MAX). */
export const USER_ADDRESS_END = 0x8000_0000_0000 - 4096;
/** Ranges start on a boundary of 2 MiB, as the linux backend's do, and have a gap between them. */
const ALIGNMENT = 2 << 20;

export interface HostAddressSpaceParts {
  readonly memory: PhysicalMemory;
  readonly views: Views;
  readonly backings: Backings;
  readonly descriptors: Descriptors;
}

/** A memfd: an open file without a mapping of its own behind it has no use here, so that it lives with its mapping. */
class Memfd {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** The address space of the process that holds the VMs: made-up addresses, so that it may be larger than the host. */
export class HostAddressSpace {
  readonly #parts: HostAddressSpaceParts;
  /** Ascending and apart. */
  readonly #ranges: HostRange[] = [];
  #next = FIRST_HVA;

  constructor(parts: HostAddressSpaceParts) {
    this.#parts = parts;
  }

  /** Anonymous memory, none of it backed. KvmError ENOMEM beyond the address space; RangeError for no size at all. */
  allocate(size: number): HostMemory {
    const shape: HostRangeShape = { hva: this.#place(size), size, kind: 'anonymous', fd: -1 };
    return this.#owned(this.map(shape, new HostRange(shape, this.#parts.backings.create('anonymous'), null)));
  }

  /** A memfd mapped whole. */
  allocateMemfd(name: string, size: number): HostMemory {
    const hva = this.#place(size);
    const shape: HostRangeShape = { hva, size, kind: 'memfd', fd: this.#parts.descriptors.open(new Memfd(name)) };
    return this.#owned(this.map(shape, new HostRange(shape, this.#parts.backings.create('memfd'), null)));
  }

  /** Maps a guest_memfd. KvmError EBADF: not open; ENODEV: a file without mmap, or a guest_memfd made without MMAP. */
  mapGuestMemfd(fd: number, size: number): HostMemory {
    const file = this.#parts.descriptors.get(fd);
    if (file === undefined) throw failure('mmap', ERRNO.EBADF);
    if (!(file instanceof SoftwareGuestMemfd) || !file.isMappable) throw failure('mmap', ERRNO.ENODEV);
    const shape: HostRangeShape = { hva: this.#place(size), size, kind: 'guest_memfd', fd };
    const range = this.map(shape, new HostRange(shape, file.backing, file));
    file.hold();
    return this.#owned(range);
  }

  /** The same memory again; it owns nothing. RangeError where the handle names none of this host's. */
  open(handle: HostMemoryHandle): HostMemory {
    return new SoftwareHostMemory(this.#named(handle), { ...this.#parts, unmap: null });
  }

  /** The memory of a restored host, which has no owner yet: closing this object unmaps it. RangeError as above. */
  adopt(handle: HostMemoryHandle): HostMemory {
    return this.#owned(this.#named(handle));
  }

  /** The range around an address. */
  find(hva: number): HostRange | undefined {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range === undefined || hva < range.hva) high = middle - 1;
      else if (hva >= range.end) low = middle + 1;
      else return range;
    }
    return undefined;
  }

  ranges(): readonly HostRange[] {
    return this.#ranges;
  }

  /** Enters a range at its own addresses. RangeError where another one lies there. */
  map({ hva }: HostRangeShape, range: HostRange): HostRange {
    const at = this.#ranges.findIndex((other) => other.hva > hva);
    const index = at < 0 ? this.#ranges.length : at;
    const below = this.#ranges[index - 1];
    const above = this.#ranges[index];
    if ((below !== undefined && below.end > hva) || (above !== undefined && above.hva < range.end))
      throw new RangeError(`something is mapped at ${hva.toString(16)}`);
    this.#ranges.splice(index, 0, range);
    this.#next = Math.max(this.#next, roundUp(range.end) + ALIGNMENT);
    return range;
  }

  /** A saved mapping at its own addresses, over its restored backing. */
  restore(shape: HostRangeShape, name: string, backing: Backing, file: SoftwareGuestMemfd | null): HostRange {
    const range = this.map(shape, new HostRange(shape, backing, file));
    file?.hold();
    if (shape.kind === 'memfd') this.#parts.descriptors.open(new Memfd(name), shape.fd);
    return range;
  }

  memfdName(fd: number): string {
    const file = this.#parts.descriptors.get(fd);
    return file instanceof Memfd ? file.name : '';
  }

  #named(handle: HostMemoryHandle): HostRange {
    const range = this.find(handle.hva);
    if (handle.backend !== 'software' || range === undefined || range.hva !== handle.hva)
      throw new RangeError(`no memory of this software KVM at ${handle.hva.toString(16)}`);
    return range;
  }

  #owned(range: HostRange): HostMemory {
    return new SoftwareHostMemory(range, { ...this.#parts, unmap: (gone) => this.#unmap(gone) });
  }

  #unmap(range: HostRange): void {
    const at = this.#ranges.indexOf(range);
    if (at < 0) return;
    this.#ranges.splice(at, 1);
    range.unmap();
    // Guests that reach memory through these addresses must ask again.
    range.backing.stale(0, range.pages);
    switch (range.shape.kind) {
      case 'guest_memfd':
        range.file?.release();
        break;
      case 'memfd':
        this.#parts.descriptors.close(range.shape.fd);
        this.#parts.backings.drop(range.backing);
        break;
      case 'anonymous':
        this.#parts.backings.drop(range.backing);
        break;
    }
  }

  /** Where a range of this size goes: above all others, or the first gap once the top is reached. */
  #place(size: number): number {
    if (!Number.isSafeInteger(size) || size <= 0) throw new RangeError(`${size} bytes can't be mapped`);
    if (this.#next + size <= USER_ADDRESS_END) return this.#next;
    let from = FIRST_HVA;
    for (const range of this.#ranges) {
      if (from + size + ALIGNMENT <= range.hva) return from;
      from = roundUp(range.end) + ALIGNMENT;
    }
    if (from + size <= USER_ADDRESS_END) return from;
    throw failure('mmap', ERRNO.ENOMEM, `no ${size} addresses are left`);
  }
}

function roundUp(hva: number): number {
  return Math.ceil(hva / ALIGNMENT) * ALIGNMENT;
}
