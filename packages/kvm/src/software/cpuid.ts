import type { CpuidEntry } from '../port/vcpu-state.ts';
import { PARAVIRT } from '../uapi/constants.ts';
import { FIRST_SEV_ASID, LAST_SEV_ASID } from './sev/asids.ts';

/** Bits of guest-physical addresses, without the C bit: as many as the engine's frame numbers have. */
export const PHYSICAL_BITS = 44;
/** Where the C bit of encrypted guests is (CPUID 0x8000001F EBX 5:0): EPYC's place. */
export const C_BIT = 47;
const LINEAR_BITS = 48;

/** Leaf 1, EDX; 0x80000001's EDX repeats the lower ones (AMD64 APM 3, E.3.2 and E.4.2). */
const BASIC_EDX = bits([
  0, // x87
  2, // debug extensions
  3, // 4 MiB pages
  4, // TSC
  5, // MSRs
  6, // PAE
  7, // machine check exception
  8, // CMPXCHG8B
  9, // APIC
  11, // SYSENTER
  12, // MTRRs
  13, // global pages
  14, // machine check architecture
  15, // CMOV
  16, // PAT
  17, // PSE36
  19, // CLFLUSH
  23, // MMX
  24, // FXSAVE
  25, // SSE
  26, // SSE2
]);
/** Those of them that 0x80000001 has too. */
const SHARED_EDX = bits([0, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 23, 24]);
const BASIC_ECX = bits([
  13, // CMPXCHG16B
  21, // x2APIC
  24, // TSC deadline timer
  30, // RDRAND
  31, // there is a hypervisor
]);
const EXTENDED_EDX = bits([
  11, // SYSCALL
  20, // NX
  26, // 1 GiB pages
  27, // RDTSCP
  29, // long mode
]);
const LEAF_7_EBX = bits([9]); // fast REP MOVSB and STOSB
const INVARIANT_TSC = bits([8]);
const SEV = bits([1]);

const KVM_FEATURES = bits([
  PARAVIRT.KVM_FEATURE_CLOCKSOURCE,
  1, // no delays for port I/O
  PARAVIRT.KVM_FEATURE_CLOCKSOURCE2,
  12, // MSR_KVM_POLL_CONTROL
  24, // kvm-clock is stable across vCPUs
]);

/** Family 17h, model 31h (Zen 2), stepping 0: a processor with SEV. */
const SIGNATURE = 0x0083_0f10;
/** CLFLUSH line of 64 bytes in units of 8, bits 15:8; one logical processor, bits 23:16. */
const BRAND_EBX = (8 << 8) | (1 << 16);
const [VENDOR_EBX, VENDOR_EDX, VENDOR_ECX] = ascii('AuthenticAMD') as [number, number, number];
const BRAND = ascii('unpin software processor'.padEnd(48, '\0'));
const [KVM_EBX, KVM_ECX, KVM_EDX] = ascii('KVMKVMKVM\0\0\0') as [number, number, number];

/**
 * What the software KVM's processor can do (KVM_GET_SUPPORTED_CPUID): the x86-64 baseline with SSE2, without XSAVE and
 * what needs it. As KVM does, it leaves the bits of MAP_GPA_RANGE and MIGRATION_CONTROL to user space.
 */
export const SUPPORTED_CPUID: readonly CpuidEntry[] = [
  leaf(0, 0xd, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX),
  leaf(1, SIGNATURE, BRAND_EBX, BASIC_ECX, BASIC_EDX),
  subLeaf(7, 0, 0, LEAF_7_EBX),
  subLeaf(0xb, 0, 0, 0, 0),
  subLeaf(0xd, 0),
  leaf(0x4000_0000, 0x4000_0001, KVM_EBX, KVM_ECX, KVM_EDX),
  leaf(0x4000_0001, KVM_FEATURES),
  leaf(0x8000_0000, 0x8000_001f, VENDOR_EBX, VENDOR_ECX, VENDOR_EDX),
  leaf(0x8000_0001, SIGNATURE, 0, 0, (BASIC_EDX & SHARED_EDX) | EXTENDED_EDX),
  ...[0, 1, 2].map((part) => leaf(0x8000_0002 + part, ...(BRAND.slice(part * 4, part * 4 + 4) as Registers))),
  // Caches as the guest's own tuning wants to know them: 32 KiB L1, 512 KiB L2.
  leaf(0x8000_0005, 0, 0, 0x2008_0140, 0x2008_0140),
  leaf(0x8000_0006, 0, 0, 0x0200_8140, 0),
  leaf(0x8000_0007, 0, 0, 0, INVARIANT_TSC),
  leaf(0x8000_0008, PHYSICAL_BITS | (LINEAR_BITS << 8)),
  leaf(0x8000_001f, SEV, C_BIT, LAST_SEV_ASID, FIRST_SEV_ASID),
];

/** KVM_GET_EMULATED_CPUID: nothing is emulated that isn't supported. */
export const EMULATED_CPUID: readonly CpuidEntry[] = [leaf(0, 7), leaf(1), subLeaf(7, 0)];

type Registers = [eax?: number, ebx?: number, ecx?: number, edx?: number];

function leaf(number: number, ...[eax = 0, ebx = 0, ecx = 0, edx = 0]: Registers): CpuidEntry {
  return { function: number, index: 0, flags: 0, eax: eax >>> 0, ebx: ebx >>> 0, ecx: ecx >>> 0, edx: edx >>> 0 };
}

/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX. */
function subLeaf(number: number, index: number, ...registers: Registers): CpuidEntry {
  return { ...leaf(number, ...registers), index, flags: 1 };
}

function bits(set: readonly number[]): number {
  return set.reduce((mask, bit) => mask | (1 << bit), 0) >>> 0;
}

/** Four characters a word, little-endian. */
function ascii(text: string): readonly number[] {
  const bytes = new TextEncoder().encode(text);
  return [...new Uint32Array(bytes.buffer, 0, bytes.length / 4)];
}
