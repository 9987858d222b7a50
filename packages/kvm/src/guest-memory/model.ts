import type { ConversionOutcome, GpaRange, GuestMemory, HostMemory, MmioExit } from '../port/index.ts';
import type { HostUse, Judgement, Lie } from './lie.ts';
import type { SavedGuestMemory } from './saved.ts';

/** Something of host memory that can be pinned, and the guest RAM it stands behind. */
export interface Pinnable {
  readonly memory: HostMemory;
  readonly offset: number;
  readonly size: number;
}

interface Backed {
  /** Host memory in ascending GPA, for pinning. Empty where the memory model has nothing to pin. */
  readonly pinnable: readonly Pinnable[];
  /** Host memory in ascending GPA whose bytes launch commands take in. Empty where there are none. */
  readonly loadable: readonly Pinnable[];
  /** For a snapshot; null where there is none (a shaped VM, which the kernel has). */
  save(): SavedGuestMemory | null;
  /** The launch is over: what waited in host memory to be taken in is given back. */
  sealed(): void;
}

/** All guest memory is host user memory. With a C bit both views alias the same frames: no ciphertext is shown. */
export interface MemslotsMemory extends GuestMemory, Backed {
  readonly kind: 'memslots';
}

/** All guest memory is one guest_memfd, shared from the start. */
export interface GmemMemory extends GuestMemory, Backed {
  readonly kind: 'guest_memfd';
}

/** Private memory in a guest_memfd, shared memory in user memory, and KVM knows the attributes. */
export interface AttributesMemory extends GuestMemory, Backed {
  readonly kind: 'attributes';
  /**
   * What the guest was found to do with its two views since the last time it was asked, in order. To be asked after a
   * run that ended with `intr`. Always empty on a KVM that can't see views.
   */
  judgements(): readonly Judgement[];
}

export interface ShapedConversionOutcome extends ConversionOutcome {
  /**
   * Bytes, not zero, that the guest had written through the new view before it reported the range. An out-of-place
   * conversion starts the new side afresh, so they are gone, as they would be on hardware.
   */
  readonly lost: number;
}

/** Counters of the judge since the memory was made. */
export interface JudgeFigures {
  readonly wrongViewAccesses: number;
  readonly lies: number;
  /** Pages whose budget is used up: both views are mapped and nothing more is seen of them. */
  readonly saturatedPages: number;
  readonly memslots: number;
}

/**
 * Two sides a range on a KVM without SEV. A page has one view mapped; an access through the other one comes as an MMIO
 * exit, with its GPA, size and direction, and is judged.
 */
export interface ShapedUpmMemory extends GuestMemory, Backed {
  readonly kind: 'shaped-upm';
  readonly cBit: number;
  convert(range: GpaRange, to: 'private' | 'shared'): ShapedConversionOutcome;
  /**
   * To be asked first of every MMIO exit. Null: not RAM, so a device's. Else the access is done (a read's data is in
   * `exit.data`), the page's mapping follows it, and the vCPU can run on. For a write KVM has moved RIP already to the
   * next instruction, for a read not yet (except inside a repeated string instruction).
   */
  onMmio(exit: MmioExit): Judgement | null;
  /**
   * The host is about to use `range` (GPA without the C bit): a page that is private by its attribute makes a lie.
   * Afterwards the shared side is mapped, so that KVM's own writes (kvm-clock) land where the guest looks: call it
   * before the MSR write is passed on to KVM.
   */
  hostUse(range: GpaRange, what: HostUse): readonly Lie[];
  /**
   * KVM gave up emulating (internal error): an instruction fetch, an event delivery or an instruction that it can't
   * emulate met an unmapped view. Maps what is trapped, and both views of `gpa`'s page if given. True: run again.
   */
  relax(gpa?: number): boolean;
  judgeFigures(): JudgeFigures;
}

/** A guest's memory under its regime. */
export type AnyGuestMemory = MemslotsMemory | GmemMemory | AttributesMemory | ShapedUpmMemory;
