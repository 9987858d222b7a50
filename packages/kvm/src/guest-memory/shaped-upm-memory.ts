import {
  type GpaRange,
  type Kvm,
  type MemoryFigures,
  type MmioExit,
  PAGE_BYTES,
  type View,
  type Vm,
} from '../port/index.ts';
import { closeSide } from './gmem-memory.ts';
import type { HostUse, Judgement, Lie } from './lie.ts';
import type { JudgeFigures, Pinnable, ShapedConversionOutcome, ShapedUpmMemory } from './model.ts';
import { openPrivateSide, openSharedSide } from './open-sides.ts';
import { pagesAround } from './ram-bytes.ts';
import { coversRange, type RamLayout, ramParts, requireWholePages } from './ram-layout.ts';
import { ShapedSlots } from './shaped-slots.ts';
import { otherView } from './side-pages.ts';
import { TwoSides } from './two-sides.ts';
import { ViewJudge } from './views.ts';

/**
 * Private memory in a file of its own on a KVM without SEV. All RAM starts private, as a VMM marks it at launch (KVM's
 * own default is shared), with one slot a range; every change after that costs what changes.
 */
export function createShapedUpmMemory(kvm: Kvm, vm: Vm, layout: RamLayout, cBit: number): ShapedUpmMemory {
  const privateSide = openPrivateSide(kvm, vm, layout.bytes);
  const shared = openSharedSide(kvm, layout.bytes);
  const sides = new TwoSides(layout, { private: privateSide, shared });
  try {
    return new ShapedUpm(kvm, vm, layout, sides, cBit);
  } catch (error) {
    closeSide(privateSide);
    closeSide(shared);
    throw error;
  }
}

class ShapedUpm implements ShapedUpmMemory {
  readonly kind = 'shaped-upm';
  readonly ranges: readonly GpaRange[];
  readonly cBit: number;
  readonly pinnable: readonly Pinnable[] = [];
  readonly loadable: readonly Pinnable[] = [];
  readonly #kvm: Kvm;
  readonly #layout: RamLayout;
  readonly #sides: TwoSides;
  readonly #slots: ShapedSlots;
  readonly #judge: ViewJudge;
  /** The C bit as a value: addresses at or above it are private. */
  readonly #privateBase: number;
  #wrongViews = 0;
  #lies = 0;

  constructor(kvm: Kvm, vm: Vm, layout: RamLayout, sides: TwoSides, cBit: number) {
    this.#kvm = kvm;
    this.ranges = layout.ranges;
    this.cBit = cBit;
    this.#privateBase = 2 ** cBit;
    this.#layout = layout;
    this.#sides = sides;
    this.#slots = new ShapedSlots(vm, layout, sides, cBit);
    this.#slots.mapAll('private');
    this.#judge = new ViewJudge(sides, 'private', (start, end, mapping) => this.#slots.set(start, end, mapping));
  }

  sealed(): void {}

  save(): null {
    return null;
  }

  covers(range: GpaRange): boolean {
    return coversRange(this.#layout, range);
  }

  convert(range: GpaRange, to: View): ShapedConversionOutcome {
    requireWholePages(this.#layout, range);
    const start = range.gpa / PAGE_BYTES;
    return this.#judge.convert(start, start + range.size / PAGE_BYTES, to);
  }

  attributeOf(gpa: number): View {
    return this.#judge.attributes.at(Math.floor(gpa / PAGE_BYTES));
  }

  /** A copy. What isn't allocated reads as zeros and stays so. */
  read(gpa: number, length: number, view: View): Uint8Array {
    this.#require(gpa, length);
    const bytes = new Uint8Array(length);
    const { start, end } = pagesAround(gpa, length);
    for (const run of this.#sides.resident(view, start, end)) {
      const from = Math.max(gpa, run.start * PAGE_BYTES);
      const to = Math.min(gpa + length, run.end * PAGE_BYTES);
      for (const part of ramParts(this.#layout, { gpa: from, size: to - from }))
        bytes.set(this.#sides.side(view).memory.read(part.offset, part.size), part.gpa - gpa);
    }
    return bytes;
  }

  write(gpa: number, bytes: Uint8Array, view: View): void {
    this.#require(gpa, bytes.length);
    const { start, end } = pagesAround(gpa, bytes.length);
    for (const run of this.#judge.mapping.runs(start, end)) {
      const from = Math.max(gpa, run.start * PAGE_BYTES);
      const to = Math.min(gpa + bytes.length, run.end * PAGE_BYTES);
      const data = bytes.subarray(from - gpa, to - gpa);
      // Through an unmapped view it counts as written there, so that the guest's next access is judged by it.
      if (run.value === otherView(view) || run.value === 'none')
        this.#judge.access({ gpa: from, view, isWrite: true, data });
      else
        for (const part of ramParts(this.#layout, { gpa: from, size: to - from }))
          this.#sides.side(view).memory.write(part.offset, data.subarray(part.gpa - from, part.gpa - from + part.size));
    }
  }

  onMmio(exit: MmioExit): Judgement | null {
    const isPrivate = exit.gpa >= this.#privateBase;
    const gpa = isPrivate ? exit.gpa - this.#privateBase : exit.gpa;
    if (!coversRange(this.#layout, { gpa, size: exit.size })) return null;
    const view = isPrivate ? 'private' : 'shared';
    const judgement = this.#judge.access({ gpa, view, isWrite: exit.isWrite, data: exit.data });
    if (judgement.wrongView !== null) this.#wrongViews++;
    this.#lies += judgement.lies.length;
    return judgement;
  }

  hostUse(range: GpaRange, what: HostUse): readonly Lie[] {
    const lies = ramParts(this.#layout, range).flatMap((part) => this.#judge.hostUse(part, what));
    this.#lies += lies.length;
    return lies;
  }

  relax(gpa?: number): boolean {
    if (gpa === undefined) return this.#judge.relax();
    const plain = gpa >= this.#privateBase ? gpa - this.#privateBase : gpa;
    const isRam = coversRange(this.#layout, { gpa: plain, size: 1 });
    return this.#judge.relax(isRam ? Math.floor(plain / PAGE_BYTES) : undefined);
  }

  judgeFigures(): JudgeFigures {
    return {
      wrongViewAccesses: this.#wrongViews,
      lies: this.#lies,
      saturatedPages: this.#judge.saturatedPages,
      memslots: this.#slots.count,
    };
  }

  figures(): MemoryFigures {
    this.#judge.settle();
    const privateSide = this.#sides.side('private');
    const privateBytes = privateSide.memory.residentBytes();
    const shared = this.#sides.side('shared').memory.residentBytes();
    const pinned = this.#kvm.pinning.pinnedBytes();
    return {
      nominal: this.#layout.bytes,
      resident: privateBytes + shared,
      private: privateBytes,
      shared,
      pinned,
      // Where a memfd stands in for the guest_memfd, its pages can move: the operating system's truth is told.
      unmovable: pinned + (privateSide.guestMemfd === null ? 0 : privateBytes),
    };
  }

  close(): void {
    closeSide(this.#sides.side('private'));
    closeSide(this.#sides.side('shared'));
  }

  #require(gpa: number, length: number): void {
    if (length > 0 && !coversRange(this.#layout, { gpa, size: length }))
      throw new RangeError(`${length} bytes at ${gpa.toString(16)} are not all RAM`);
  }
}
