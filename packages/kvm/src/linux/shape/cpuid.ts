import type { CpuidEntry } from '../../port/index.ts';
import { physicalWidth } from './c-bit.ts';

/** What an SEV guest is told of KVM's paravirtual features. */
export interface SevFeatureOptions {
  /**
   * Whether the guest is told that KVM wants conversions reported. Linux looks at bit 17 alone, KVM's rules want
   * bit 16 as well (Documentation/virt/kvm/x86/cpuid.rst).
   */
  readonly wantsReports: boolean;
  /** Whether async page faults are offered: they make the host use one more page of the guest. */
  readonly asyncPageFaults: boolean;
}

export interface ShapedCpuidOptions extends SevFeatureOptions {
  /** From chooseCBit. */
  readonly cBit: number;
}

const LEAF = { features: 1, kvmFeatures: 0x4000_0001, extendedMax: 0x8000_0000, encryption: 0x8000_001f } as const;

/** Leaf 1 ECX bit 31: kernels before 6.14 leave it out of the supported leaves, and the guest never looks for KVM. */
const HYPERVISOR = 1 << 31;
/** Leaf 0x40000001 EAX. */
const KVM_FEATURE = {
  hcMapGpaRange: 1 << 16,
  migrationControl: 1 << 17,
  asyncPf: (1 << 4) | (1 << 10) | (1 << 14),
} as const;
/** Leaf 0x8000001F EAX. Bit 1 SEV; bit 0 (SME) stays clear: the guest is to use SEV. */
const SEV = 1 << 1;

/**
 * The leaves by which an unmodified kernel takes itself for an SEV guest: pure, over the leaves that the VMM would give
 * any guest of this KVM (sorted by leaf afterwards, as before where they were). What it changes: 1, 0x40000001,
 * 0x80000000 and 0x8000001F; 0x80000008's width covers the C bit already, the reduction takes it off again.
 */
export function shapedCpuid(entries: readonly CpuidEntry[], options: ShapedCpuidOptions): readonly CpuidEntry[] {
  const { cBit } = options;
  const width = physicalWidth(entries);
  if (cBit >= width) throw new RangeError(`C bit ${cBit} is not below the guest's ${width} physical-address bits`);
  const changed = entries.filter((entry) => entry.function !== LEAF.encryption).map((entry) => change(entry, options));
  // Bits 5:0 the C bit's position, 11:6 by how many bits physical addresses shrink (AMD64 APM 3, E.4.17).
  const ebx = cBit | ((width - cBit) << 6);
  changed.push({ function: LEAF.encryption, index: 0, flags: 0, eax: SEV, ebx, ecx: 0, edx: 0 });
  return changed;
}

/** The leaves of a KVM that has SEV itself, with KVM's own features as an SEV guest is to see them. Pure. */
export function sevFeatures(entries: readonly CpuidEntry[], options: SevFeatureOptions): readonly CpuidEntry[] {
  return entries.map((entry) =>
    entry.function === LEAF.kvmFeatures ? { ...entry, eax: kvmFeatures(entry.eax, options) } : entry,
  );
}

function change(entry: CpuidEntry, options: ShapedCpuidOptions): CpuidEntry {
  switch (entry.function) {
    case LEAF.features:
      return { ...entry, ecx: (entry.ecx | HYPERVISOR) >>> 0 };
    case LEAF.kvmFeatures:
      return { ...entry, eax: kvmFeatures(entry.eax, options) };
    case LEAF.extendedMax:
      return { ...entry, eax: Math.max(entry.eax >>> 0, LEAF.encryption) };
    default:
      return entry;
  }
}

function kvmFeatures(supported: number, options: SevFeatureOptions): number {
  const reports = KVM_FEATURE.hcMapGpaRange | KVM_FEATURE.migrationControl;
  const told = options.wantsReports ? supported | reports : supported & ~reports;
  return (options.asyncPageFaults ? told : told & ~KVM_FEATURE.asyncPf) >>> 0;
}
