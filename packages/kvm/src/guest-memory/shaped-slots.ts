import { PAGE_BYTES, type View, type Vm } from '../port/index.ts';
import { CAPS, MEMORY_FLAGS } from '../uapi/constants.ts';
import type { PageRun } from './buddy.ts';
import type { RamLayout, RamRange } from './ram-layout.ts';
import type { Mapping } from './side-pages.ts';
import { SlotLayer } from './slot-layer.ts';
import { SlotNumbers } from './slot-numbers.ts';
import type { Side, TwoSides } from './two-sides.ts';

/** KVM_CAP_DISABLE_QUIRKS2 and the quirk that deleting one slot takes down the mappings of all (Linux ≥ 6.12). */
const CAP_DISABLE_QUIRKS2 = 213;
const QUIRK_SLOT_ZAP_ALL = 1 << 7;

/** The memslots of both views of all RAM: GPA → shared side, GPA | 1 << C → private side. */
export class ShapedSlots {
  readonly #ranges: readonly { readonly ram: RamRange; readonly layers: Readonly<Record<View, SlotLayer>> }[];
  readonly #numbers: SlotNumbers;

  constructor(vm: Vm, layout: RamLayout, sides: TwoSides, cBit: number) {
    if ((vm.checkExtension(CAP_DISABLE_QUIRKS2) & QUIRK_SLOT_ZAP_ALL) !== 0)
      vm.enableCap(CAP_DISABLE_QUIRKS2, [QUIRK_SLOT_ZAP_ALL]);
    const numbers = new SlotNumbers(vm.checkExtension(CAPS.KVM_CAP_NR_MEMSLOTS));
    const remove = (slot: number): void => vm.setUserMemoryRegion({ slot, flags: 0, gpa: 0, size: 0, hva: 0 });
    const layer = (view: View, ram: RamRange): SlotLayer => {
      const base = view === 'private' ? 2 ** cBit : 0;
      const side = sides.side(view);
      const create = (slot: number, run: PageRun): void => createSlot(vm, slot, side, base, ram, run);
      return new SlotLayer({ create, remove }, numbers);
    };
    this.#numbers = numbers;
    this.#ranges = layout.ranges.map((ram) => ({
      ram,
      layers: { private: layer('private', ram), shared: layer('shared', ram) },
    }));
  }

  /** How many memslots there are. */
  get count(): number {
    return this.#numbers.used;
  }

  /** Maps one view of all RAM, one slot a range. */
  mapAll(view: View): void {
    for (const { ram, layers } of this.#ranges)
      layers[view].mapWhole({ start: ram.gpa / PAGE_BYTES, end: (ram.gpa + ram.size) / PAGE_BYTES });
  }

  /** Makes the mapping of pages what is asked. Nothing is ever mapped twice: what goes, goes first. */
  set(start: number, end: number, mapping: Mapping): void {
    for (const { ram, layers } of this.#ranges) {
      const from = Math.max(start, ram.gpa / PAGE_BYTES);
      const to = Math.min(end, (ram.gpa + ram.size) / PAGE_BYTES);
      if (from >= to) continue;
      const wanted = { private: isMapped(mapping, 'private'), shared: isMapped(mapping, 'shared') };
      for (const view of ['private', 'shared'] as const) if (!wanted[view]) layers[view].unmap(from, to);
      for (const view of ['private', 'shared'] as const) if (wanted[view]) layers[view].map(from, to);
    }
  }
}

function isMapped(mapping: Mapping, view: View): boolean {
  return mapping === view || mapping === 'both';
}

function createSlot(vm: Vm, slot: number, side: Side, base: number, ram: RamRange, run: PageRun): void {
  const gpa = run.start * PAGE_BYTES;
  const offset = ram.offset + (gpa - ram.gpa);
  const region = {
    slot,
    gpa: base + gpa,
    size: (run.end - run.start) * PAGE_BYTES,
    hva: side.memory.hva + offset,
  };
  if (side.guestMemfd === null) vm.setUserMemoryRegion({ ...region, flags: 0 });
  else
    vm.setUserMemoryRegion2({
      ...region,
      flags: MEMORY_FLAGS.KVM_MEM_GUEST_MEMFD,
      guestMemfd: side.guestMemfd.fd,
      guestMemfdOffset: offset,
    });
}
