/** CPUID leaves and bits that the VMM decides itself (AMD64 APM 3, appendix E; Intel SDM 2A, CPUID). */

/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX: the leaf has sub-leaves. */
export const SIGNIFICANT_INDEX = 1;

export const LEAF = {
  features: 1,
  cacheIntel: 4,
  structuredFeatures: 7,
  performance: 0xa,
  topology: 0xb,
  extendedState: 0xd,
  topologyV2: 0x1f,
  extendedFeatures: 0x8000_0001,
  capacity: 0x8000_0008,
  svm: 0x8000_000a,
  cacheAmd: 0x8000_001d,
  topologyAmd: 0x8000_001e,
  performanceAmd: 0x8000_0022,
} as const;

/** Leaf 1 ECX. */
export const FEATURES_ECX = {
  vmx: 1 << 5,
  fma: 1 << 12,
  x2apic: 1 << 21,
  tscDeadline: 1 << 24,
  xsave: 1 << 26,
  osxsave: 1 << 27,
  avx: 1 << 28,
  f16c: 1 << 29,
  hypervisor: 1 << 31,
} as const;

/** Leaf 1 EDX: more than one logical processor in the package. */
export const HYPER_THREADING = 1 << 28;

/** Leaf 0x80000001 ECX. */
export const EXTENDED_ECX = {
  cmpLegacy: 1 << 1,
  svm: 1 << 2,
  xop: 1 << 11,
  lwp: 1 << 15,
  fma4: 1 << 16,
} as const;
