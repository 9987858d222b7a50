import type { CpuidEntry } from '@unpin/kvm';
import { EXTENDED_ECX, FEATURES_ECX, LEAF } from './cpuid-bits.ts';

/**
 * Takes AVX, XSAVE and the structured features away, as QEMU's `qemu64` model does: a guest of a KVM whose own
 * processor QEMU emulates (TCG) fails with them. Only for such hosts: on real processors nothing needs to be hidden.
 */
export function withoutVectorState(entry: CpuidEntry): CpuidEntry {
  switch (entry.function) {
    case LEAF.features: {
      const { fma, xsave, osxsave, avx, f16c } = FEATURES_ECX;
      return { ...entry, ecx: (entry.ecx & ~(fma | xsave | osxsave | avx | f16c)) >>> 0 };
    }
    case LEAF.structuredFeatures:
    case LEAF.extendedState:
      return { ...entry, eax: 0, ebx: 0, ecx: 0, edx: 0 };
    case LEAF.extendedFeatures: {
      const { xop, lwp, fma4 } = EXTENDED_ECX;
      return { ...entry, ecx: (entry.ecx & ~(xop | lwp | fma4)) >>> 0 };
    }
    default:
      return entry;
  }
}
