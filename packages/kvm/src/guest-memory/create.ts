import type { Execution, Regime } from '@unpin/policy';
import type { GpaRange, Kvm, Vm } from '../port/index.ts';
import { createAttributesMemory } from './attributes-memory.ts';
import { createGmemMemory } from './gmem-memory.ts';
import { createMemslotsMemory } from './memslots-memory.ts';
import type { AnyGuestMemory } from './model.ts';
import { type RamLayout, ramLayout } from './ram-layout.ts';
import { createShapedUpmMemory } from './shaped-upm-memory.ts';

export interface GuestMemoryOptions {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly regime: Regime;
  readonly execution: Execution;
  /** RAM, page-aligned, without the C bit. */
  readonly ranges: readonly GpaRange[];
  /** The guest's C bit (see chooseCBit for a shaped VM); null for a guest that has none. */
  readonly cBit: number | null;
}

/** A regime that this version has no memory for. */
export class MemoryModelNotBuilt extends Error {
  override readonly name = 'MemoryModelNotBuilt';
}

/**
 * A guest's memory as its regime says, with its memslots in place. Nothing is pinned yet: that is the caller's next step
 * where the regime asks for it. Throws RangeError for ranges that can't be, KvmError with KVM's own refusal, and
 * MemoryModelNotBuilt.
 */
export function createGuestMemory(options: GuestMemoryOptions): AnyGuestMemory {
  const { kvm, vm, regime, execution, cBit } = options;
  const layout = ramLayout(options.ranges);
  const isShaped = execution === 'shaped';
  if (isShaped) requireCBit(cBit, layout);
  switch (regime.memoryModel) {
    case 'memslots':
      return createMemslotsMemory({ kvm, vm, layout, cBit, isShaped });
    case 'guest_memfd':
      if (regime.tech === 'none') return createGmemMemory(kvm, vm, layout);
      if (isShaped && regime.tech === 'sev' && cBit !== null) return createShapedUpmMemory(kvm, vm, layout, cBit);
      if (regime.tech === 'sev-snp' || (execution === 'emulated' && regime.tech === 'sev'))
        return createAttributesMemory({ kvm, vm, layout, cBit, initial: 'private' });
      // No launch command fills its private memory: what it boots is loaded as shared, and the guest converts.
      if (!isShaped && regime.tech === 'sw-protected')
        return createAttributesMemory({ kvm, vm, layout, cBit, initial: 'shared' });
      break;
    case 'guest_memfd-in-place':
      break;
  }
  throw new MemoryModelNotBuilt(
    `${regime.type}: ${regime.memoryModel} memory for ${regime.tech}, ${execution}, is not built`,
  );
}

function requireCBit(cBit: number | null, layout: RamLayout): void {
  if (cBit === null || 2 ** cBit < layout.end)
    throw new RangeError(`a shaped guest needs a C bit above its RAM, which ends at ${layout.end.toString(16)}`);
}
