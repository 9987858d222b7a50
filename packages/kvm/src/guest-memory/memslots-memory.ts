import type { ConversionOutcome, GpaRange, HostMemory, Kvm, MemoryFigures, View, Vm } from '../port/index.ts';
import { PAGE_BYTES } from '../port/index.ts';
import { Extents, pagesOf } from './extents.ts';
import type { MemslotsMemory, Pinnable } from './model.ts';
import { readRam, writeRam } from './ram-bytes.ts';
import { coversRange, type RamLayout, ramOffset, requireWholePages } from './ram-layout.ts';
import { convertedRuns, extentsOf, type MemoryAdopter, type SavedGuestMemory } from './saved.ts';

export interface MemslotsOptions {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly layout: RamLayout;
  /** The guest's C bit, null for a guest without one. */
  readonly cBit: number | null;
  /** On a KVM without SEV both views of a guest with a C bit need a slot of their own. */
  readonly isShaped: boolean;
}

/**
 * All guest memory is anonymous user memory, one memslot a RAM range.
 *
 * Shaped, each range has a second slot at GPA | 1 << C over the same host memory: on SEV hardware, too, one frame
 * serves both views, so nothing doubles and a pin of the nominal size pins all. What this can't show is encryption: a
 * byte written through one view reads as itself through the other, where hardware gives ciphertext or garbage.
 */
export function createMemslotsMemory(options: MemslotsOptions): MemslotsMemory {
  const { kvm, vm, layout, cBit } = options;
  const memory = kvm.allocate(layout.bytes, { hugePages: true });
  try {
    let slot = 0;
    for (const bases of cBit !== null && options.isShaped ? [0, 2 ** cBit] : [0])
      for (const { gpa, size, offset } of layout.ranges)
        vm.setUserMemoryRegion({ slot: slot++, flags: 0, gpa: gpa + bases, size, hva: memory.hva + offset });
  } catch (error) {
    memory.close();
    throw error;
  }
  return new Memslots(kvm, layout, memory, cBit);
}

/** The same memory in a KVM that was restored. */
export function restoreMemslotsMemory(
  kvm: Kvm & MemoryAdopter,
  layout: RamLayout,
  cBit: number | null,
  saved: SavedGuestMemory,
): MemslotsMemory {
  return new Memslots(kvm, layout, kvm.adoptMemory(saved.memory), cBit, extentsOf(saved));
}

class Memslots implements MemslotsMemory {
  readonly kind = 'memslots';
  readonly ranges: readonly GpaRange[];
  readonly cBit: number | null;
  readonly pinnable: readonly Pinnable[];
  readonly loadable: readonly Pinnable[];
  readonly #kvm: Kvm;
  readonly #layout: RamLayout;
  readonly #memory: HostMemory;
  /** What the guest says of its pages; nothing depends on it here. */
  readonly #attributes: Extents<View>;

  constructor(
    kvm: Kvm,
    layout: RamLayout,
    memory: HostMemory,
    cBit: number | null,
    attributes = new Extents<View>(initialView(cBit)),
  ) {
    this.#kvm = kvm;
    this.ranges = layout.ranges;
    this.cBit = cBit;
    this.pinnable = [{ memory, offset: 0, size: layout.bytes }];
    this.loadable = this.pinnable;
    this.#layout = layout;
    this.#memory = memory;
    this.#attributes = attributes;
  }

  save(): SavedGuestMemory {
    const initial = initialView(this.cBit);
    return {
      kind: this.kind,
      memory: this.#memory.handle,
      guestMemfd: -1,
      initial,
      converted: convertedRuns(this.#attributes, initial, this.#layout.end / PAGE_BYTES),
    };
  }

  covers(range: GpaRange): boolean {
    return coversRange(this.#layout, range);
  }

  convert(range: GpaRange, to: View): ConversionOutcome {
    requireWholePages(this.#layout, range);
    const start = range.gpa / PAGE_BYTES;
    const changed = this.#attributes.set(start, start + range.size / PAGE_BYTES, to);
    return { changed: pagesOf(changed) * PAGE_BYTES, discarded: 0 };
  }

  attributeOf(gpa: number): View {
    return this.#attributes.at(Math.floor(gpa / PAGE_BYTES));
  }

  read(gpa: number, length: number): Uint8Array {
    return readRam(this.#layout, this.#memory, gpa, length);
  }

  write(gpa: number, bytes: Uint8Array): void {
    writeRam(this.#layout, this.#memory, gpa, bytes);
  }

  sealed(): void {}

  figures(): MemoryFigures {
    const pinned = this.#kvm.pinning.pinnedBytes();
    const resident = this.#memory.residentBytes();
    const shared = this.cBit === null ? resident : this.#residentOf('shared');
    return { nominal: this.#layout.bytes, resident, private: resident - shared, shared, pinned, unmovable: pinned };
  }

  close(): void {
    this.#memory.close();
  }

  /** Of the pages that the guest has reported as that: a guest that reports nothing leaves all of them private. */
  #residentOf(view: View): number {
    let bytes = 0;
    for (const { gpa, size } of this.ranges)
      for (const { start, end, value } of this.#attributes.runs(gpa / PAGE_BYTES, (gpa + size) / PAGE_BYTES))
        if (value === view)
          bytes += this.#memory.residentBytes(ramOffset(this.#layout, start * PAGE_BYTES), (end - start) * PAGE_BYTES);
    return bytes;
  }
}

function initialView(cBit: number | null): View {
  return cBit === null ? 'shared' : 'private';
}
