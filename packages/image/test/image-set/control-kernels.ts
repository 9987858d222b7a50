/**
 * Kernels that have one thing left out, or one thing broken: recipes from Debian's sources, and what each must be found
 * to be. `node scripts/control-kernels/build.ts` builds them into the cache; they are too long to build for CI.
 */
import { type ExpectedStatements, statements } from './expected.ts';

export interface ControlKernel {
  readonly name: string;
  /** Debian's source package, as an asset. */
  readonly source: 'kernel-source-6.1' | 'kernel-source-6.12';
  readonly compiler: 'gcc' | 'clang';
  /** Lines of configuration behind those of all. What neither names is off, or as the kernel has it by default. */
  readonly config: readonly string[];
  /** Changes of the source. */
  readonly edits: readonly Edit[];
  readonly statements: ExpectedStatements;
}

/** A replacement in one file of the source; it must match as often as it says. */
export interface Edit {
  readonly file: string;
  readonly from: RegExp;
  readonly to: string;
  readonly times: number;
}

/** The least that a guest of all kinds is made of. */
export const COMMON_CONFIG: readonly string[] = [
  ...on('64BIT EXPERT SMP PRINTK BUG KALLSYMS MULTIUSER ACPI PCI SYSFS PROC_FS EFI EFI_STUB'),
  ...on('PROCESSOR_SELECT CPU_SUP_AMD CPU_SUP_INTEL X86_X2APIC HYPERVISOR_GUEST PARAVIRT KVM_GUEST'),
  ...on('AMD_MEM_ENCRYPT INTEL_TDX_GUEST UNWINDER_FRAME_POINTER KERNEL_GZIP RELOCATABLE'),
  ...on('CC_OPTIMIZE_FOR_PERFORMANCE DEBUG_INFO_NONE'),
  ...'CPU_MITIGATIONS SPECULATION_MITIGATIONS BLOCK TTY'.split(' ').map((option) => `CONFIG_${option}=n`),
];

const BTF = [
  'CONFIG_DEBUG_INFO_NONE=n',
  'CONFIG_DEBUG_INFO_DWARF4=y',
  'CONFIG_NET=y',
  'CONFIG_BPF_SYSCALL=y',
  'CONFIG_DEBUG_INFO_BTF=y',
];

/** What the fix of CVE-2023-53996 did, undone: a count of pages, rounded up, in the place of a size. */
const FIX_UNDONE: readonly Edit[] = [
  edit(
    'arch/x86/mm/mem_encrypt_amd.c',
    /(enc_dec_hypercall\(unsigned long vaddr, )unsigned long size(?=, bool enc\))/g,
    '$1int npages',
    2,
  ),
  edit(
    'arch/x86/mm/mem_encrypt_amd.c',
    /(vaddr_end = vaddr \+ )size(?=;\s+while)/g,
    '$1((unsigned long)npages << PAGE_SHIFT)',
    1,
  ),
  edit('arch/x86/mm/mem_encrypt_amd.c', /npages << PAGE_SHIFT, enc\)/g, 'npages, enc)', 1),
  edit('arch/x86/mm/mem_encrypt_amd.c', /(hypercall\(start, )size/g, '$1PAGE_ALIGN(size) >> PAGE_SHIFT', 1),
  edit('arch/x86/mm/mem_encrypt_amd.c', /(\{\s+enc_dec_hypercall\(vaddr, )size/g, '$1npages', 1),
  edit(
    'arch/x86/include/asm/mem_encrypt.h',
    /(dec_hypercall\(unsigned long vaddr,\s*)unsigned long size/g,
    '$1int npages',
    2,
  ),
  edit(
    'arch/x86/kernel/kvm.c',
    /(__end_bss_decrypted - __start_bss_decrypted)(?=, 0)/g,
    'DIV_ROUND_UP($1, PAGE_SIZE)',
    1,
  ),
];

export const CONTROL_KERNELS: readonly ControlKernel[] = [
  // No type information: the fix is proven from code.
  control('everything', [], 'Y Y Y Y Y Y Y Y'),
  control('no-kvm-guest', ['CONFIG_KVM_GUEST=n'], 'Y Y Y Y Y Y N N'),
  // Has the names of SEV's features, the hypercall and its hook, and nothing of AMD's.
  control('tdx-only', ['CONFIG_AMD_MEM_ENCRYPT=n'], 'N N N N Y Y N N'),
  control('neither', ['CONFIG_AMD_MEM_ENCRYPT=n', 'CONFIG_INTEL_TDX_GUEST=n'], 'N N N N N N N N'),
  control('amd-only', ['CONFIG_INTEL_TDX_GUEST=n'], 'Y Y Y Y N Y Y Y'),
  control('no-kallsyms', ['CONFIG_KALLSYMS=n'], 'Y Y Y Y Y Y Y Y'),
  // Without symbols a lack is inferred.
  control(
    'no-kallsyms-neither',
    ['CONFIG_KALLSYMS=n', 'CONFIG_AMD_MEM_ENCRYPT=n', 'CONFIG_INTEL_TDX_GUEST=n'],
    'n n n n n n n n',
  ),
  control('fix-undone', [], 'Y Y Y Y Y N Y N', { source: 'kernel-source-6.1', edits: FIX_UNDONE }),
  control('fix-undone-btf', BTF, 'Y Y Y Y Y N Y N', { source: 'kernel-source-6.1', edits: FIX_UNDONE }),
  control('clang-lto', ['CONFIG_LTO_NONE=n', 'CONFIG_LTO_CLANG_THIN=y'], 'Y Y Y Y Y Y Y Y', { compiler: 'clang' }),
];

function control(
  name: string,
  config: readonly string[],
  expected: string,
  other: Partial<Pick<ControlKernel, 'source' | 'compiler' | 'edits'>> = {},
): ControlKernel {
  return {
    name,
    source: 'kernel-source-6.12',
    compiler: 'gcc',
    edits: [],
    ...other,
    config,
    statements: statements(expected),
  };
}

function edit(file: string, from: RegExp, to: string, times: number): Edit {
  return { file, from, to, times };
}

function on(options: string): string[] {
  return options.split(' ').map((option) => `CONFIG_${option}=y`);
}
