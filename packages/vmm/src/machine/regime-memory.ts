import { UnpinError } from '@unpin/contract/errors';
import type { CpuidEntry, GpaRange, Kvm, Vm } from '@unpin/kvm';
import {
  type AnyGuestMemory,
  createGuestMemory,
  hasSharedGuestMemfd,
  MemoryModelNotBuilt,
} from '@unpin/kvm/guest-memory';
import { chooseCBit, sevFeatures, shapedCpuid } from '@unpin/kvm/shape';
import type { Execution, Regime } from '@unpin/policy';
import { ramEnd } from '../boot/index.ts';

/** A guest's memory with what its regime adds to it. */
export interface RegimeMemory {
  readonly memory: AnyGuestMemory;
  /** What holds private memory, as the report says it: `memslots`, `guest_memfd`, `memfd`. */
  readonly privateMemory: string;
  /** The guest's leaves with what its type adds: the SEV leaf and KVM's feature bits. */
  readonly cpuid: (entries: readonly CpuidEntry[]) => readonly CpuidEntry[];
}

export interface RegimeMemoryOptions {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly regime: Regime;
  readonly execution: Execution;
  readonly ram: readonly GpaRange[];
  /** Whether the guest is told that its KVM wants reports. Default: where its regime lives by them. */
  readonly wantsReports?: boolean | undefined;
}

/** @throws UnpinError VM_TYPE_NOT_BUILT, BOOT_DOES_NOT_FIT where RAM leaves no bit for the C bit; KvmError */
export function createRegimeMemory(options: RegimeMemoryOptions): RegimeMemory {
  const { kvm, vm, regime, execution, ram } = options;
  const cBit = cBitOf(options);
  try {
    const memory = createGuestMemory({ kvm, vm, regime, execution, ranges: ram, cBit });
    return {
      memory,
      privateMemory: privateMemoryOf(memory, vm),
      cpuid: (entries) => cpuidOf(entries, options, cBit),
    };
  } catch (cause) {
    if (!(cause instanceof MemoryModelNotBuilt)) throw cause;
    throw new UnpinError('VM_TYPE_NOT_BUILT', { subject: `type ${regime.type}`, found: cause.message, cause });
  }
}

function cpuidOf(
  entries: readonly CpuidEntry[],
  { regime, execution, wantsReports = regime.conversions === 'hypercall' }: RegimeMemoryOptions,
  cBit: number | null,
): readonly CpuidEntry[] {
  const told = { wantsReports, asyncPageFaults: false };
  if (cBit === null) return entries.map(withoutSev);
  switch (execution) {
    case 'hardware':
      return entries;
    case 'shaped':
      return shapedCpuid(entries, { cBit, ...told });
    case 'emulated':
      return sevFeatures(entries, told);
  }
}

/**
 * The guest's C bit; null for a guest without.
 * @throws UnpinError MEMORY_INVALID where RAM leaves no bit for it
 */
export function cBitOf({ kvm, regime, execution, ram }: Omit<RegimeMemoryOptions, 'vm'>): number | null {
  if (regime.tech === 'none' || regime.tech === 'sw-protected') return null;
  const supported = kvm.supportedCpuid();
  if (execution !== 'shaped') return sevCBit(supported);
  try {
    return chooseCBit(supported, ramEnd(ram));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UnpinError('MEMORY_INVALID', { subject: `type ${regime.type}`, found: cause.message, cause });
  }
}

/** CPUID 0x8000001F: EBX bits 5:0 are the C bit's position (AMD64 APM 3, E.4.17). */
const ENCRYPTION_LEAF = 0x8000_001f;

/** A KVM with SEV tells every guest of it; one that isn't encrypted would ask for an MSR that it doesn't have. */
function withoutSev(entry: CpuidEntry): CpuidEntry {
  return entry.function === ENCRYPTION_LEAF ? { ...entry, eax: 0, ebx: 0, ecx: 0, edx: 0 } : entry;
}

function sevCBit(supported: readonly CpuidEntry[]): number | null {
  const leaf = supported.find((entry) => entry.function === ENCRYPTION_LEAF);
  return leaf === undefined ? null : leaf.ebx & 0x3f;
}

function privateMemoryOf(memory: AnyGuestMemory, vm: Vm): string {
  switch (memory.kind) {
    case 'memslots':
      return 'memslots';
    case 'guest_memfd':
    case 'attributes':
      return 'guest_memfd';
    case 'shaped-upm':
      return hasSharedGuestMemfd(vm) ? 'guest_memfd' : 'memfd';
  }
}
