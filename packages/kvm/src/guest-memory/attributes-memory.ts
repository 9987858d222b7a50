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
import { judgementOf } from './judgement-of.ts';
import type { Judgement } from './lie.ts';
import type { AttributesMemory, Pinnable } from './model.ts';
import { readRam, writeRam } from './ram-bytes.ts';
import { coversRange, type RamLayout, ramParts, requireWholePages } from './ram-layout.ts';
import { convertedRuns, extentsOf, type MemoryAdopter, type SavedGuestMemory } from './saved.ts';

export interface AttributesOptions {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly layout: RamLayout;
  /** Private where launch commands fill RAM (SNP, SEV), shared, as KVM's own default is, where the host must write it. */
  readonly initial: View;
  /** The guest's C bit, null for a guest without one. */
  readonly cBit: number | null;
}

/**
 * One memslot a range with both sides, and KVM knows which page is what (KVM_SET_MEMORY_ATTRIBUTES). KVM loops over
 * every page it is told of, so it is told of what changes only.
 */
export function createAttributesMemory(options: AttributesOptions): AttributesMemory {
  const { kvm, vm, layout, initial } = options;
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
    if (options.cBit !== null) vm.watchViews?.();
  } catch (error) {
    shared.close();
    guestMemfd.close();
    throw error;
  }
  return new Attributes(options, guestMemfd, shared);
}

/** The same memory in a KVM that was restored, after its launch. */
export function restoreAttributesMemory(
  options: Omit<AttributesOptions, 'initial' | 'kvm'> & { readonly kvm: Kvm & MemoryAdopter },
  saved: SavedGuestMemory,
): AttributesMemory {
  const { kvm } = options;
  const sides = [kvm.adoptGuestMemfd(saved.guestMemfd), kvm.adoptMemory(saved.memory)] as const;
  return new Attributes({ ...options, initial: saved.initial }, ...sides, extentsOf(saved));
}

class Attributes implements AttributesMemory {
  readonly kind = 'attributes';
  readonly cBit: number | null;
  readonly pinnable: readonly Pinnable[] = [];
  readonly loadable: readonly Pinnable[];
  readonly ranges: readonly GpaRange[];
  readonly #kvm: Kvm;
  readonly #vm: Vm;
  readonly #layout: RamLayout;
  readonly #guestMemfd: GuestMemfd;
  readonly #shared: HostMemory;
  readonly #attributes: Extents<View>;
  readonly #initial: View;
  /** Until the launch: what is loaded into private RAM waits in the shared side for the command that takes it in. */
  #isStaging: boolean;

  /** `restored`: which page is what; the launch is over. */
  constructor(
    { kvm, vm, layout, initial, cBit }: AttributesOptions,
    guestMemfd: GuestMemfd,
    shared: HostMemory,
    restored?: Extents<View>,
  ) {
    this.ranges = layout.ranges;
    this.cBit = cBit;
    this.loadable = [{ memory: shared, offset: 0, size: layout.bytes }];
    this.#initial = initial;
    this.#isStaging = initial === 'private' && restored === undefined;
    this.#kvm = kvm;
    this.#vm = vm;
    this.#layout = layout;
    this.#guestMemfd = guestMemfd;
    this.#shared = shared;
    this.#attributes = restored ?? new Extents<View>(initial);
  }

  save(): SavedGuestMemory {
    return {
      kind: this.kind,
      memory: this.#shared.handle,
      guestMemfd: this.#guestMemfd.fd,
      initial: this.#initial,
      converted: convertedRuns(this.#attributes, this.#initial, this.#layout.end / PAGE_BYTES),
    };
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

  /** The private view only before `sealed`. */
  write(gpa: number, bytes: Uint8Array, view: View): void {
    if (!this.#isStaging) requireShared(view);
    writeRam(this.#layout, this.#shared, gpa, bytes);
  }

  sealed(): void {
    if (!this.#isStaging) return;
    this.#isStaging = false;
    this.#shared.discard(0, this.#layout.bytes);
  }

  judgements(): readonly Judgement[] {
    return this.#vm.takeViewFindings?.().map(judgementOf) ?? [];
  }

  figures(): MemoryFigures {
    const privateBytes = this.#guestMemfd.allocatedBytes();
    const shared = this.#shared.residentBytes();
    const pinned = this.#kvm.pinning.pinnedBytes();
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
