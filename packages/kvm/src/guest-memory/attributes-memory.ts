import {
  type ConversionOutcome,
  type GpaRange,
  type GuestMemfd,
  type HostMemory,
  type Kvm,
  type MemoryFigures,
  PAGE_BYTES,
  type View,
  type Vm,
} from '../port/index.ts';
import { MEMORY_FLAGS } from '../uapi/constants.ts';
import { Extents, pagesOf } from './extents.ts';
import type { AttributesMemory, Pinnable } from './model.ts';
import { pinnedByProcess } from './process-pins.ts';
import { readRam, writeRam } from './ram-bytes.ts';
import { coversRange, type RamLayout, ramParts, requireWholePages } from './ram-layout.ts';

/**
 * One memslot a range with both sides, and KVM knows which page is what (KVM_SET_MEMORY_ATTRIBUTES). RAM starts as
 * `initial`: private where launch commands fill it (SNP), shared, as KVM's own default is, where the host must write it.
 * KVM loops over every page it is told of, so it is told of what changes only.
 */
export function createAttributesMemory(kvm: Kvm, vm: Vm, layout: RamLayout, initial: View): AttributesMemory {
  const guestMemfd = vm.createGuestMemfd(layout.bytes);
  const shared = kvm.allocateMemfd('guest-shared', layout.bytes);
  try {
    for (const [slot, { gpa, size, offset }] of layout.ranges.entries()) {
      vm.setUserMemoryRegion2({
        slot,
        flags: MEMORY_FLAGS.KVM_MEM_GUEST_MEMFD,
        gpa,
        size,
        hva: shared.hva + offset,
        guestMemfd: guestMemfd.fd,
        guestMemfdOffset: offset,
      });
      if (initial === 'private') vm.setMemoryAttributes(gpa, size, MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE);
    }
  } catch (error) {
    shared.close();
    guestMemfd.close();
    throw error;
  }
  return new Attributes(vm, layout, guestMemfd, shared, initial);
}

class Attributes implements AttributesMemory {
  readonly kind = 'attributes';
  readonly cBit = null;
  readonly pinnable: readonly Pinnable[] = [];
  readonly ranges: readonly GpaRange[];
  readonly #vm: Vm;
  readonly #layout: RamLayout;
  readonly #guestMemfd: GuestMemfd;
  readonly #shared: HostMemory;
  readonly #attributes: Extents<View>;

  constructor(vm: Vm, layout: RamLayout, guestMemfd: GuestMemfd, shared: HostMemory, initial: View) {
    this.ranges = layout.ranges;
    this.#vm = vm;
    this.#layout = layout;
    this.#guestMemfd = guestMemfd;
    this.#shared = shared;
    this.#attributes = new Extents<View>(initial);
  }

  covers(range: GpaRange): boolean {
    return coversRange(this.#layout, range);
  }

  /** Throws KvmError ENOMEM with nothing changed of the run that KVM refused. */
  convert(range: GpaRange, to: View): ConversionOutcome {
    requireWholePages(this.#layout, range);
    const start = range.gpa / PAGE_BYTES;
    const end = start + range.size / PAGE_BYTES;
    const stale = this.#attributes.runs(start, end).filter(({ value }) => value !== to);
    const before = this.#allocated();
    for (const run of stale)
      this.#convertRun({ gpa: run.start * PAGE_BYTES, size: (run.end - run.start) * PAGE_BYTES }, to);
    const discarded = stale.length === 0 ? 0 : Math.max(0, before - this.#allocated());
    return { changed: pagesOf(stale) * PAGE_BYTES, discarded };
  }

  attributeOf(gpa: number): View {
    return this.#attributes.at(Math.floor(gpa / PAGE_BYTES));
  }

  /** RangeError for the private view: no host can read it. */
  read(gpa: number, length: number, view: View): Uint8Array {
    requireShared(view);
    return readRam(this.#layout, this.#shared, gpa, length);
  }

  write(gpa: number, bytes: Uint8Array, view: View): void {
    requireShared(view);
    writeRam(this.#layout, this.#shared, gpa, bytes);
  }

  figures(): MemoryFigures {
    const privateBytes = this.#guestMemfd.allocatedBytes();
    const shared = this.#shared.residentBytes();
    const pinned = pinnedByProcess();
    return {
      nominal: this.#layout.bytes,
      resident: privateBytes + shared,
      private: privateBytes,
      shared,
      pinned,
      unmovable: pinned + privateBytes,
    };
  }

  close(): void {
    this.#shared.close();
    this.#guestMemfd.close();
  }

  #convertRun(run: GpaRange, to: View): void {
    this.#vm.setMemoryAttributes(run.gpa, run.size, to === 'private' ? MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
    this.#attributes.set(run.gpa / PAGE_BYTES, (run.gpa + run.size) / PAGE_BYTES, to);
    for (const { offset, size } of ramParts(this.#layout, run))
      if (to === 'private') this.#shared.discard(offset, size);
      else this.#guestMemfd.punch(offset, size);
  }

  #allocated(): number {
    return this.#guestMemfd.allocatedBytes() + this.#shared.residentBytes();
  }
}

function requireShared(view: View): void {
  if (view === 'private') throw new RangeError('the private side of this memory is a guest_memfd that no host can map');
}
