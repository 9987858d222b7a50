import type { HostFeature, Need, Runner, VmType, VmTypeId } from './vm-type.ts';

const NEEDS = {
  sevGuest: {
    statement: 'sev-guest',
    atLeast: 'inferred',
    why: 'a kernel without SEV support never sets the C bit, so it would run unencrypted or not at all',
    remedy: 'use a kernel built with CONFIG_AMD_MEM_ENCRYPT',
  },
  sevEsGuest: {
    statement: 'sev-es-guest',
    atLeast: 'inferred',
    why: 'a SEV-ES guest must handle the VMM communication exception, or it dies at its first CPUID',
    remedy: 'use a kernel with SEV-ES guest support (Linux 5.10 or later with CONFIG_AMD_MEM_ENCRYPT)',
  },
  snpGuest: {
    statement: 'snp-guest',
    atLeast: 'inferred',
    why: 'a SEV-SNP guest must validate its own pages and read the secrets and CPUID pages that its launch prepared',
    remedy: 'use a kernel with SEV-SNP guest support (Linux 5.19 or later with CONFIG_AMD_MEM_ENCRYPT)',
  },
  pageStateChanges: {
    statement: 'page-state-changes',
    atLeast: 'inferred',
    why: 'memory is allocated on demand: the guest must announce each page that it shares or takes back, or it stops at a fault',
    remedy: 'use a kernel with SEV-SNP guest support (Linux 5.19 or later with CONFIG_AMD_MEM_ENCRYPT)',
  },
  reports: {
    statement: 'reports-conversions',
    atLeast: 'proven',
    why: 'memory is not pinned: KVM must be told of every page the guest shares, and SEV gives no fault for one it is not told of',
    remedy: 'use a kernel that issues KVM_HC_MAP_GPA_RANGE (Linux 5.16 or later with CONFIG_KVM_GUEST), without nopv',
  },
  reportsCorrectly: {
    statement: 'reports-correctly',
    atLeast: 'proven',
    why: 'Linux 5.16 to 6.5 without the fix reports wrong ranges (CVE-2023-53996), which loses data on this type',
    remedy: 'use a kernel with the fix of CVE-2023-53996 (Linux 6.6, or a stable kernel that carries it)',
  },
} as const satisfies Record<string, Need>;

const linux = (execution: Runner['execution'], requires: readonly HostFeature[], built = true): Runner => ({
  execution,
  backend: 'linux',
  requires: ['kvm', ...requires],
  built,
});

const software: Runner = { execution: 'emulated', backend: 'software', requires: ['software-kvm'], built: true };

const ROWS: readonly VmType[] = [
  {
    id: 'standard',
    tech: 'none',
    memoryModel: 'memslots',
    pinning: 'none',
    conversions: 'none',
    needs: [],
    runners: [linux('hardware', []), software],
    disclaimer: 'An ordinary VM. The host can read all of its memory.',
  },
  {
    id: 'standard-pinned',
    tech: 'none',
    memoryModel: 'memslots',
    pinning: 'upfront',
    conversions: 'none',
    needs: [],
    runners: [linux('hardware', ['long-term-pin']), software],
    disclaimer:
      'An ordinary VM with all of its memory pinned before it starts, as device pass-through needs it. Start time and locked memory grow with its size.',
  },
  {
    id: 'standard-gmem',
    tech: 'none',
    memoryModel: 'guest_memfd',
    pinning: 'none',
    conversions: 'none',
    needs: [],
    runners: [linux('hardware', ['guest-memfd-default-vm']), software],
    disclaimer:
      'An ordinary VM whose memory is a guest_memfd, shared from the start. Touched pages cannot be moved or swapped.',
  },
  {
    id: 'sev',
    tech: 'sev',
    memoryModel: 'memslots',
    pinning: 'upfront',
    conversions: 'unreported',
    needs: [NEEDS.sevGuest],
    runners: [linux('hardware', ['sev']), linux('shaped', ['spare-address-bit', 'long-term-pin']), software],
    disclaimer:
      'Legacy SEV. Works with every SEV guest; all memory is pinned before the first instruction and stays so until the VM ends.',
  },
  {
    id: 'sev-es',
    tech: 'sev-es',
    memoryModel: 'memslots',
    pinning: 'upfront',
    conversions: 'unreported',
    needs: [NEEDS.sevGuest, NEEDS.sevEsGuest],
    runners: [linux('hardware', ['sev-es']), { ...software, built: false }],
    disclaimer:
      'Legacy SEV-ES: SEV with encrypted registers. All memory is pinned before the first instruction and stays so until the VM ends.',
  },
  {
    id: 'sev-deferred',
    tech: 'sev',
    memoryModel: 'memslots',
    pinning: 'on-fault',
    conversions: 'unreported',
    needs: [NEEDS.sevGuest],
    runners: [linux('shaped', ['spare-address-bit', 'long-term-pin', 'userfaultfd']), software],
    disclaimer:
      'SEV with deferred pinning, as the 2022 RFC proposed it: memory is pinned when it is first touched, and never unpinned. For comparison; no upstream kernel has it in hardware.',
  },
  {
    id: 'sev-upm',
    tech: 'sev',
    memoryModel: 'guest_memfd',
    pinning: 'none',
    conversions: 'hypercall',
    needs: [NEEDS.sevGuest, NEEDS.reports, NEEDS.reportsCorrectly],
    runners: [linux('shaped', ['spare-address-bit']), software],
    disclaimer:
      'SEV with private memory in a guest_memfd, allocated on demand. The guest must report every page conversion, and correctly: a page it does not report is silently corrupted. No upstream kernel has it in hardware.',
  },
  {
    id: 'sev-es-upm',
    tech: 'sev-es',
    memoryModel: 'guest_memfd',
    pinning: 'none',
    conversions: 'hypercall',
    needs: [NEEDS.sevGuest, NEEDS.sevEsGuest, NEEDS.reports, NEEDS.reportsCorrectly],
    runners: [{ ...software, built: false }],
    disclaimer:
      'SEV-ES with private memory in a guest_memfd. The guest must report every page conversion, and correctly. No upstream kernel has it in hardware.',
  },
  {
    id: 'sev-snp',
    tech: 'sev-snp',
    memoryModel: 'guest_memfd',
    pinning: 'none',
    conversions: 'page-state-change',
    needs: [NEEDS.snpGuest, NEEDS.pageStateChanges],
    runners: [linux('hardware', ['sev-snp', 'guest-memfd', 'memory-attributes'], false), { ...software, built: false }],
    disclaimer:
      "SEV-SNP: the way out that today's kernels and processors offer. Memory is allocated on demand and its integrity is protected. Needs firmware in the guest.",
  },
  {
    id: 'sw-protected',
    tech: 'sw-protected',
    memoryModel: 'guest_memfd',
    pinning: 'none',
    conversions: 'hypercall',
    needs: [NEEDS.reports, NEEDS.reportsCorrectly],
    runners: [linux('hardware', ['sw-protected-vm', 'guest-memfd', 'memory-attributes']), software],
    disclaimer:
      'A software-protected VM, for development and testing of KVM: its ABI is unstable and nothing is encrypted.',
  },
];

const BY_ID = new Map<string, VmType>(ROWS.map((row) => [row.id, row]));

/** All VM types, in the order in which people should read them. */
export function vmTypes(): readonly VmType[] {
  return ROWS;
}

/** The VM type of that name, or undefined. */
export function findVmType(id: string): VmType | undefined {
  return BY_ID.get(id);
}

/** The VM type of an id that is already known to be one. */
export function vmType(id: VmTypeId): VmType {
  const row = BY_ID.get(id);
  if (row === undefined) throw new RangeError(`no VM type ${id}`);
  return row;
}
