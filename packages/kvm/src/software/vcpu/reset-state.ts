import { type CpuState, layout } from '@unpin/x86';
import { C_BIT } from '../cpuid.ts';
import type { MemoryTech } from '../memory/index.ts';

/** What a guest finds in CR0.CD and NW after INIT is what was there before. */
const CACHE_BITS = 0x6000_0000n;
/** KVM starts the x87 as FNINIT leaves it. */
const FPU_CONTROL = 0x037f;

/** Registers behind RESET as KVM makes them; `seed` (not 0) is where RDRAND begins. */
export function resetRegisters(cpu: CpuState, cBitMask: bigint, seed: bigint): void {
  cpu.reset();
  // The status word behind the control word is 0.
  cpu.setWord(layout.FPU_CONTROL, FPU_CONTROL);
  cpu.set('random', seed);
  cpu.set('cBitMask', cBitMask);
}

/** What INIT keeps besides memory: the FPU, XMM, and MSRs (AMD64 APM 2, table 14-1). */
const KEPT = [
  'star',
  'lstar',
  'cstar',
  'sfmask',
  'kernelGsBase',
  'sysenterCs',
  'sysenterEsp',
  'sysenterEip',
  'tscAux',
  'pat',
  'cBitMask',
  'pteReservedMask',
  'tscOffset',
  'tscRate',
  'random',
] as const;

/** INIT. */
export function initRegisters(cpu: CpuState): void {
  const before = cpu.save();
  const cache = cpu.get('cr0') & CACHE_BITS;
  const kept = KEPT.map((name) => [name, cpu.get(name)] as const);
  cpu.reset();
  for (const [name, value] of kept) cpu.set(name, value);
  cpu.set('cr0', cache | 0x10n);
  const vector = layout.XMM - layout.REGS;
  const end = layout.FPU_REGS + 128 - layout.REGS;
  const now = cpu.save();
  now.set(before.subarray(vector, end), vector);
  cpu.load(now);
}

/** A start-up IPI: real mode at vector × 4096. */
export function startAt(cpu: CpuState, vector: number): void {
  cpu.setSegment('cs', { ...cpu.segment('cs'), selector: vector << 8, base: BigInt(vector << 12) });
  cpu.set('rip', 0n);
  cpu.commit();
}

/** Which bit of a page-table entry is the C bit; 0 where the guest has none. */
export function cBitMask(tech: MemoryTech): bigint {
  return tech === 'sev' || tech === 'snp' ? 1n << BigInt(C_BIT) : 0n;
}

/** Bits of a page-table entry that no physical address of so many bits has: 51 down to there, but for the C bit. */
export function reservedMask(physicalBits: number, cBit: bigint): bigint {
  const all = (1n << 52n) - 1n;
  return all & ~((1n << BigInt(physicalBits)) - 1n) & ~cBit;
}
