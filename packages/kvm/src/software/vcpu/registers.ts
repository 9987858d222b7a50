import type { CpuState } from '@unpin/x86';
import type { Regs, Segment, Sregs } from '../../port/vcpu-state.ts';

const GENERAL = [
  'rax',
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rsp',
  'rbp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rip',
] as const;

const SEGMENTS = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldt'] as const;

/** KVM_GET_REGS of the processor on the core. */
export function getRegs(cpu: CpuState): Regs {
  const words = Object.fromEntries(GENERAL.map((name) => [name, cpu.get(name)]));
  return { ...(words as Omit<Regs, 'rflags'>), rflags: cpu.rflags };
}

export function setRegs(cpu: CpuState, regs: Regs): void {
  for (const name of GENERAL) cpu.set(name, regs[name]);
  cpu.rflags = regs.rflags;
}

/** What KVM_GET_SREGS has besides the processor's registers. */
export interface ApicRegisters {
  readonly apicBase: bigint;
  /** The task priority's class. */
  readonly cr8: bigint;
  /** A vector that waits to be delivered, or -1. */
  readonly interrupt: number;
}

export function getSregs(cpu: CpuState, { apicBase, cr8, interrupt }: ApicRegisters): Sregs {
  const segments = Object.fromEntries(SEGMENTS.map((name) => [name, cpu.segment(name)]));
  const bitmap = (word: number): bigint =>
    interrupt >= 0 && interrupt >>> 6 === word ? 1n << BigInt(interrupt & 63) : 0n;
  return {
    ...(segments as Record<(typeof SEGMENTS)[number], Segment>),
    gdt: cpu.table('gdt'),
    idt: cpu.table('idt'),
    cr0: cpu.get('cr0'),
    cr2: cpu.get('cr2'),
    cr3: cpu.get('cr3'),
    cr4: cpu.get('cr4'),
    cr8,
    efer: cpu.get('efer'),
    apicBase,
    interruptBitmap: [bitmap(0), bitmap(1), bitmap(2), bitmap(3)],
  };
}

/** The processor's part of KVM_SET_SREGS, checked by the caller. The privilege is that of SS, as SVM has it. */
export function setSregs(cpu: CpuState, sregs: Sregs): void {
  for (const name of SEGMENTS) cpu.setSegment(name, sregs[name]);
  for (const name of ['gdt', 'idt'] as const) cpu.setTable(name, sregs[name]);
  for (const name of ['cr0', 'cr2', 'cr3', 'cr4', 'efer'] as const) cpu.set(name, sregs[name]);
  cpu.set('cr8', sregs.cr8 & 0xfn);
  cpu.commit();
}

/** The vector of KVM_SET_SREGS's bitmap, or -1. */
export function vectorOf(bitmap: Sregs['interruptBitmap']): number {
  for (const [word, bits] of bitmap.entries())
    for (let bit = 0; bit < 64; bit++) if (((bits >> BigInt(bit)) & 1n) === 1n) return word * 64 + bit;
  return -1;
}
