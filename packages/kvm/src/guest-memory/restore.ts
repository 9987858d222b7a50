import type { GpaRange, Kvm, Vm } from '../port/index.ts';
import { restoreAttributesMemory } from './attributes-memory.ts';
import { restoreGmemMemory } from './gmem-memory.ts';
import { restoreMemslotsMemory } from './memslots-memory.ts';
import type { AnyGuestMemory } from './model.ts';
import { ramLayout } from './ram-layout.ts';
import type { MemoryAdopter, SavedGuestMemory } from './saved.ts';

export interface RestoreGuestMemoryOptions {
  readonly kvm: Kvm & MemoryAdopter;
  readonly vm: Vm;
  /** The ranges and the C bit that it was made with. */
  readonly ranges: readonly GpaRange[];
  readonly cBit: number | null;
  readonly saved: SavedGuestMemory;
}

/** A restored VM's memory, whose slots and bytes KVM has already. RangeError where it isn't there. */
export function restoreGuestMemory({ kvm, vm, ranges, cBit, saved }: RestoreGuestMemoryOptions): AnyGuestMemory {
  const layout = ramLayout(ranges);
  switch (saved.kind) {
    case 'memslots':
      return restoreMemslotsMemory(kvm, layout, cBit, saved);
    case 'guest_memfd':
      return restoreGmemMemory(kvm, layout, saved);
    case 'attributes':
      return restoreAttributesMemory({ kvm, vm, layout, cBit }, saved);
  }
}
