import type { CpuidEntry } from '@unpin/kvm';
import { EXTENDED_ECX, FEATURES_ECX, HYPER_THREADING, LEAF, SIGNIFICANT_INDEX } from './cpuid-bits.ts';
import { withoutVectorState } from './emulated-host-mask.ts';

export interface GuestCpuidOptions {
  /** Also its APIC id. */
  readonly vcpuId: number;
  /** KVM_CAP_TSC_DEADLINE_TIMER: the in-kernel LAPIC has that timer mode, which GET_SUPPORTED_CPUID doesn't say. */
  readonly tscDeadline: boolean;
  /** The host's own processor is emulated: see withoutVectorState. */
  readonly emulatedHost: boolean;
}

/**
 * The guest's leaves from those that KVM supports: one socket, one core, one thread; no nested virtualization, no
 * performance counters. KVM's own leaves (0x40000000 on) pass unchanged. Changes that a VM type makes (the SEV leaf,
 * KVM feature bits) come after this.
 */
export function guestCpuid(supported: readonly CpuidEntry[], options: GuestCpuidOptions): readonly CpuidEntry[] {
  const topologyFrom = supported.reduce((max, entry) => (entry.function === 0 ? entry.eax >>> 0 : max), 0);
  const kept = supported.flatMap((entry) => {
    const change = CHANGES[entry.function];
    if (change === undefined) return [entry];
    const changed = change(entry, options);
    return changed === null ? [] : [changed];
  });
  for (const leaf of [LEAF.topology, LEAF.topologyV2])
    if (leaf <= topologyFrom) kept.push(...oneThread(leaf, options.vcpuId));
  return options.emulatedHost ? kept.map(withoutVectorState) : kept;
}

/** What becomes of a leaf; null leaves it out. One row a leaf. */
const CHANGES: Readonly<Record<number, (entry: CpuidEntry, options: GuestCpuidOptions) => CpuidEntry | null>> = {
  [LEAF.features]: (entry, options) => ({
    ...entry,
    // Bits 31:24 APIC id, 23:16 logical processors; the rest is the brand index and the CLFLUSH size.
    ebx: ((options.vcpuId << 24) | (1 << 16) | (entry.ebx & 0xffff)) >>> 0,
    // Kernels before 6.14 leave the hypervisor bit out; a guest without it never looks for KVM.
    ecx:
      ((entry.ecx & ~(FEATURES_ECX.vmx | FEATURES_ECX.tscDeadline)) |
        FEATURES_ECX.hypervisor |
        FEATURES_ECX.x2apic |
        (options.tscDeadline ? FEATURES_ECX.tscDeadline : 0)) >>>
      0,
    edx: (entry.edx & ~HYPER_THREADING) >>> 0,
  }),
  // Bits 31:26 cores a package, 25:14 threads that share the cache, both less one.
  [LEAF.cacheIntel]: (entry) => ({ ...entry, eax: entry.eax & 0x3fff }),
  [LEAF.performance]: zeroed,
  [LEAF.topology]: () => null,
  [LEAF.topologyV2]: () => null,
  [LEAF.extendedFeatures]: (entry) => ({
    ...entry,
    ecx: (entry.ecx & ~(EXTENDED_ECX.svm | EXTENDED_ECX.cmpLegacy)) >>> 0,
  }),
  // ECX: core count and the width of core ids.
  [LEAF.capacity]: (entry) => ({ ...entry, ecx: 0 }),
  [LEAF.svm]: zeroed,
  [LEAF.cacheAmd]: (entry) => ({ ...entry, eax: entry.eax & 0x3fff }),
  // Extended APIC id; one thread a core, one node.
  [LEAF.topologyAmd]: (entry, options) => ({ ...entry, eax: options.vcpuId, ebx: 0, ecx: 0, edx: 0 }),
  [LEAF.performanceAmd]: zeroed,
};

function zeroed(entry: CpuidEntry): CpuidEntry {
  return { ...entry, eax: 0, ebx: 0, ecx: 0, edx: 0 };
}

/** Sub-leaf 0 describes threads, 1 cores, 2 ends the list: one processor on each level. EDX is the x2APIC id. */
function oneThread(leaf: number, id: number): readonly CpuidEntry[] {
  const row = (index: number, ebx: number, level: number): CpuidEntry => ({
    function: leaf,
    index,
    flags: SIGNIFICANT_INDEX,
    eax: 0,
    ebx,
    ecx: (level << 8) | index,
    edx: id,
  });
  return [row(0, 1, 1), row(1, 1, 2), row(2, 0, 0)];
}
