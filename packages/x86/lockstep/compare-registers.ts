import { GPR_NAMES, type RegisterFile, SEGMENT_NAMES } from './register-file.ts';

export interface RegisterDifference {
  readonly register: string;
  readonly leader: string;
  readonly ours: string;
}

/** CF, PF, AF, ZF, SF, OF: many instructions leave some undefined, and processors differ there. */
const STATUS_FLAGS = 0x8d5;
/** RF: differs by when the machine was stopped. */
const RF = 0x1_0000;
const BASES = ['fsBase', 'gsBase', 'kernelGsBase', 'cr0', 'cr2', 'cr3', 'cr4', 'efer'] as const;

/**
 * Where two machines differ. x87 is left out but for the control word: QEMU 7.2 keeps its last operands and MMX' exponents
 * otherwise than processors do. `status`: compare the six status flags too.
 */
export function compareRegisters(leader: RegisterFile, ours: RegisterFile, status: boolean): RegisterDifference[] {
  const differences: RegisterDifference[] = [];
  const add = (register: string, want: bigint | number, got: bigint | number): void => {
    if (want !== got) differences.push({ register, leader: hex(want), ours: hex(got) });
  };
  add('rip', leader.rip, ours.rip);
  GPR_NAMES.forEach((name, index) => add(name, leader.gpr[index] ?? 0n, ours.gpr[index] ?? 0n));
  const flags = ~(RF | (status ? 0 : STATUS_FLAGS));
  add('rflags', leader.rflags & flags, ours.rflags & flags);
  SEGMENT_NAMES.forEach((name, index) => add(name, leader.selectors[index] ?? 0, ours.selectors[index] ?? 0));
  for (const name of BASES) add(name, leader[name], ours[name]);
  add('mxcsr', leader.mxcsr, ours.mxcsr);
  add('fctrl', leader.x87.control, ours.x87.control);
  for (let i = 0; i < 16; i++) {
    const of = (registers: RegisterFile): string =>
      Buffer.from(registers.xmm.subarray(16 * i, 16 * i + 16)).toString('hex');
    const [want, got] = [of(leader), of(ours)];
    if (want !== got) differences.push({ register: `xmm${i}`, leader: want, ours: got });
  }
  return differences;
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
