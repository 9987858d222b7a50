import { UnpinError } from '@unpin/contract';
import type { CpuidEntry, GpaRange, Kvm, Vm } from '@unpin/kvm';
import { type AnyGuestMemory, createGuestMemory, MemoryModelNotBuilt } from '@unpin/kvm/guest-memory';
import type { Execution, Regime } from '@unpin/policy';
import { ramEnd } from '../boot/index.ts';

/** A guest's memory with what its regime adds to it. */
export interface RegimeMemory {
  readonly memory: AnyGuestMemory;
  /** What holds private memory, as the report says it. */
  readonly privateMemory: string;
  /** What the SEV status MSR reads where the VMM has to answer it. */
  readonly sevStatus: number | null;
  /** The guest's leaves with what its type adds: the SEV leaf and KVM's feature bits. */
  readonly cpuid: (entries: readonly CpuidEntry[]) => readonly CpuidEntry[];
  readonly pinUpfront: (progress: (bytes: number) => void) => Promise<void>;
  readonly pinOnFault: () => Promise<void>;
  readonly close: () => void;
}

export interface RegimeMemoryOptions {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly regime: Regime;
  readonly execution: Execution;
  readonly ram: readonly GpaRange[];
}

/** @throws UnpinError VM_TYPE_NOT_BUILT, KvmError */
export function createRegimeMemory(options: RegimeMemoryOptions): RegimeMemory {
  const { kvm, vm, regime, execution, ram } = options;
  const cBit = null;
  void ramEnd;
  try {
    const memory = createGuestMemory({ kvm, vm, regime, execution, ranges: ram, cBit });
    return {
      memory,
      privateMemory: memory.kind,
      sevStatus: null,
      cpuid: (entries) => entries,
      pinUpfront: async () => {},
      pinOnFault: async () => {},
      close: () => memory.close(),
    };
  } catch (cause) {
    if (!(cause instanceof MemoryModelNotBuilt)) throw cause;
    throw new UnpinError('VM_TYPE_NOT_BUILT', { subject: `type ${regime.type}`, found: cause.message, cause });
  }
}
