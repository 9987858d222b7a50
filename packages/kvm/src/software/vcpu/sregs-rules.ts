import type { Sregs } from '../../port/vcpu-state.ts';

const CR0 = { pe: 1n, nw: 1n << 29n, cd: 1n << 30n, pg: 1n << 31n } as const;
/** VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT: the rest needs features that are not offered. */
const CR4_KNOWN = 0x7ffn;
const CR4_PAE = 1n << 5n;
const EFER = { sce: 1n, lme: 1n << 8n, lma: 1n << 10n, nxe: 1n << 11n } as const;
const EFER_KNOWN = EFER.sce | EFER.lme | EFER.lma | EFER.nxe;

/** What is wrong with these registers, or undefined (kernel, arch/x86/kvm/x86.c; AMD64 APM 2, 3.1 and 14.1). */
export function sregsProblem(sregs: Sregs, physicalBits: number, cBitMask: bigint): string | undefined {
  const { cr0, cr3, cr4, efer, cs } = sregs;
  if ((efer & EFER.lme) !== 0n && (cr0 & CR0.pg) !== 0n) {
    if ((cr4 & CR4_PAE) === 0n) return 'long mode without CR4.PAE';
    if ((efer & EFER.lma) === 0n) return 'long mode without EFER.LMA';
    if ((cr3 & ~cBitMask) >> BigInt(physicalBits) !== 0n) return 'CR3 beyond the physical addresses';
  } else {
    if ((efer & EFER.lma) !== 0n) return 'EFER.LMA without long mode';
    if (cs.l !== 0) return 'a 64-bit CS without long mode';
  }
  if ((cr4 & ~CR4_KNOWN) !== 0n) return 'reserved bits of CR4';
  return cr0Problem(cr0);
}

function cr0Problem(cr0: bigint): string | undefined {
  if (cr0 >> 32n !== 0n) return 'upper half of CR0';
  if ((cr0 & CR0.nw) !== 0n && (cr0 & CR0.cd) === 0n) return 'CR0.NW without CR0.CD';
  if ((cr0 & CR0.pg) !== 0n && (cr0 & CR0.pe) === 0n) return 'CR0.PG without CR0.PE';
  return undefined;
}

/** Whether EFER has only bits that this processor knows. */
export function isEferKnown(efer: bigint): boolean {
  return (efer & ~EFER_KNOWN) === 0n;
}

/** LMA is the processor's to set: a write of EFER keeps what it is. */
export function eferAfterWrite(before: bigint, written: bigint): bigint {
  return (written & ~EFER.lma) | (before & EFER.lma);
}
