import {
  type ConversionOutcome,
  type GpaRange,
  type Kvm,
  type MemoryFigures,
  type View,
  type Vm,
} from '../port/index.ts';
import { MEMORY_FLAGS } from '../uapi/constants.ts';
import type { GmemMemory } from './model.ts';
import { openGuestMemfdSide } from './open-sides.ts';
import { readRam, writeRam } from './ram-bytes.ts';
import { coversRange, type RamLayout, requireWholePages } from './ram-layout.ts';
import type { MemoryAdopter, SavedGuestMemory } from './saved.ts';
import type { Side } from './two-sides.ts';

/**
 * All guest memory is one guest_memfd, shared from the start (Linux ≥ 6.18: GUEST_MEMFD_FLAG_MMAP | INIT_SHARED on a
 * default VM). Pages are allocated as they are touched, and can't move or be swapped from then on.
 */
export function createGmemMemory(kvm: Kvm, vm: Vm, layout: RamLayout): GmemMemory {
  const side = openGuestMemfdSide(kvm, vm, layout.bytes);
  try {
    for (const [slot, { gpa, size, offset }] of layout.ranges.entries())
      vm.setUserMemoryRegion2({
        slot,
        flags: MEMORY_FLAGS.KVM_MEM_GUEST_MEMFD,
        gpa,
        size,
        hva: side.memory.hva + offset,
        guestMemfd: side.guestMemfd.fd,
        guestMemfdOffset: offset,
      });
  } catch (error) {
    closeSide(side);
    throw error;
  }
  return new Gmem(kvm, layout, side);
}

/** The same memory in a KVM that was restored. */
export function restoreGmemMemory(kvm: Kvm & MemoryAdopter, layout: RamLayout, saved: SavedGuestMemory): GmemMemory {
  return new Gmem(kvm, layout, {
    memory: kvm.adoptMemory(saved.memory),
    guestMemfd: kvm.adoptGuestMemfd(saved.guestMemfd),
  });
}

/** The mapping first: the file stays until its last user is gone. */
export function closeSide(side: Side): void {
  side.memory.close();
  side.guestMemfd?.close();
}

class Gmem implements GmemMemory {
  readonly kind = 'guest_memfd';
  readonly cBit = null;
  readonly pinnable = [];
  readonly loadable = [];
  readonly ranges: readonly GpaRange[];
  readonly #kvm: Kvm;
  readonly #layout: RamLayout;
  readonly #side: Side;

  constructor(kvm: Kvm, layout: RamLayout, side: Side) {
    this.#kvm = kvm;
    this.ranges = layout.ranges;
    this.#layout = layout;
    this.#side = side;
  }

  sealed(): void {}

  save(): SavedGuestMemory {
    const { memory, guestMemfd } = this.#side;
    return {
      kind: this.kind,
      memory: memory.handle,
      guestMemfd: guestMemfd?.fd ?? -1,
      initial: 'shared',
      converted: [],
    };
  }

  covers(range: GpaRange): boolean {
    return coversRange(this.#layout, range);
  }

  /** RangeError for private: this memory has one view. */
  convert(range: GpaRange, to: View): ConversionOutcome {
    requireWholePages(this.#layout, range);
    if (to === 'private') throw new RangeError('this memory is shared and has no private side');
    return { changed: 0, discarded: 0 };
  }

  attributeOf(): View {
    return 'shared';
  }

  read(gpa: number, length: number): Uint8Array {
    return readRam(this.#layout, this.#side.memory, gpa, length);
  }

  write(gpa: number, bytes: Uint8Array): void {
    writeRam(this.#layout, this.#side.memory, gpa, bytes);
  }

  figures(): MemoryFigures {
    const resident = this.#side.memory.residentBytes();
    const pinned = this.#kvm.pinning.pinnedBytes();
    // A guest_memfd's pages are unmovable whichever way they are looked at.
    const unmovable = pinned + resident;
    return { nominal: this.#layout.bytes, resident, private: 0, shared: resident, pinned, unmovable };
  }

  close(): void {
    closeSide(this.#side);
  }
}
