import { Code, type Instruction, Mnemonic } from 'iced-x86';
import * as layout from '../../layout.ts';
import { OP_UD } from '../../ops/integer.ts';
import * as ops from '../../ops/system.ts';
import type { Lowered, Lowering } from '../lower.ts';
import type { TraceWriter } from '../trace-writer.ts';

/** IMM of a system micro-op: size in bytes, flags, number. */
export function how(size: number, flags = 0, number = 0): number {
  return size | flags | (number << ops.SYS_NUMBER_SHIFT);
}

/** A micro-op without memory operand. */
export function emit(writer: TraceWriter, op: number, imm = 0, a: number = layout.ZERO): void {
  writer.emit(op, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, imm);
}

/** Instructions without operands: what they are, and whether the trace goes on behind them. */
const rows: readonly (readonly [Mnemonic, number, Lowered, imm?: number])[] = [
  [Mnemonic.Hlt, ops.OP_HLT, 'end'],
  [Mnemonic.Cli, ops.OP_CLI, 'next'],
  [Mnemonic.Sti, ops.OP_STI, 'next'],
  [Mnemonic.Pushf, ops.OP_PUSHF, 'next', how(2)],
  [Mnemonic.Pushfd, ops.OP_PUSHF, 'next', how(4)],
  [Mnemonic.Pushfq, ops.OP_PUSHF, 'next', how(8)],
  [Mnemonic.Popf, ops.OP_POPF, 'next', how(2)],
  [Mnemonic.Popfd, ops.OP_POPF, 'next', how(4)],
  [Mnemonic.Popfq, ops.OP_POPF, 'next', how(8)],
  [Mnemonic.Int1, ops.OP_INT, 'end', how(0, ops.SYS_FLAG, 1)],
  [Mnemonic.Int3, ops.OP_INT, 'end', how(0, 0, 3)],
  [Mnemonic.Into, ops.OP_INTO, 'next'],
  [Mnemonic.Iret, ops.OP_IRET, 'end', how(2)],
  [Mnemonic.Iretd, ops.OP_IRET, 'end', how(4)],
  [Mnemonic.Iretq, ops.OP_IRET, 'end', how(8)],
  [Mnemonic.Syscall, ops.OP_SYSCALL, 'end'],
  [Mnemonic.Sysret, ops.OP_SYSRET, 'end', how(4)],
  [Mnemonic.Sysretq, ops.OP_SYSRET, 'end', how(8)],
  [Mnemonic.Sysenter, ops.OP_SYSENTER, 'end'],
  [Mnemonic.Sysexit, ops.OP_SYSEXIT, 'end', how(4)],
  [Mnemonic.Sysexitq, ops.OP_SYSEXIT, 'end', how(8)],
  [Mnemonic.Swapgs, ops.OP_SWAPGS, 'next'],
  [Mnemonic.Clts, ops.OP_CLTS, 'next'],
  [Mnemonic.Rdmsr, ops.OP_RDMSR, 'next'],
  [Mnemonic.Wrmsr, ops.OP_WRMSR, 'next'],
  [Mnemonic.Rdtsc, ops.OP_RDTSC, 'next'],
  [Mnemonic.Rdtscp, ops.OP_RDTSCP, 'next'],
  [Mnemonic.Rdpmc, ops.OP_RDPMC, 'end'],
  [Mnemonic.Cpuid, ops.OP_CPUID, 'end'],
  [Mnemonic.Invd, ops.OP_WBINVD, 'next'],
  [Mnemonic.Wbinvd, ops.OP_WBINVD, 'next'],
  [Mnemonic.Wbnoinvd, ops.OP_WBINVD, 'next'],
  [Mnemonic.Vmcall, ops.OP_VMCALL, 'end'],
  [Mnemonic.Vmmcall, ops.OP_VMCALL, 'end'],
];

/** What the CPUID that this engine serves doesn't offer, or allows only in modes that it doesn't have: #UD. */
const absent: readonly Mnemonic[] = [
  Mnemonic.Monitor,
  Mnemonic.Mwait,
  Mnemonic.Monitorx,
  Mnemonic.Mwaitx,
  Mnemonic.Xsetbv,
  Mnemonic.Xgetbv,
  Mnemonic.Xsave,
  Mnemonic.Xsave64,
  Mnemonic.Xrstor,
  Mnemonic.Xrstor64,
  Mnemonic.Invpcid,
  Mnemonic.Rdfsbase,
  Mnemonic.Rdgsbase,
  Mnemonic.Wrfsbase,
  Mnemonic.Wrgsbase,
  Mnemonic.Rdpid,
  Mnemonic.Rdpru,
  Mnemonic.Stac,
  Mnemonic.Clac,
  Mnemonic.Clgi,
  Mnemonic.Stgi,
  Mnemonic.Vmrun,
  Mnemonic.Vmload,
  Mnemonic.Vmsave,
  Mnemonic.Invlpga,
  Mnemonic.Vmxon,
  Mnemonic.Vmlaunch,
  Mnemonic.Vmresume,
  Mnemonic.Rsm,
  Mnemonic.Ud0,
  Mnemonic.Ud1,
  Mnemonic.Ud2,
];

function interrupt(instruction: Instruction, writer: TraceWriter): Lowered {
  if (instruction.code !== Code.Int_imm8) return 'unsupported';
  emit(writer, ops.OP_INT, how(0, 0, instruction.immediate8));
  return 'end';
}

export const plain: readonly (readonly [Mnemonic, Lowering])[] = [
  ...rows.map(
    ([mnemonic, op, lowered, imm = 0]) =>
      [
        mnemonic,
        (_: Instruction, writer: TraceWriter) => {
          emit(writer, op, imm);
          return lowered;
        },
      ] as const,
  ),
  ...absent.map(
    (mnemonic) =>
      [
        mnemonic,
        (_: Instruction, writer: TraceWriter) => {
          emit(writer, OP_UD);
          return 'end';
        },
      ] as const,
  ),
  [Mnemonic.Int, interrupt],
];
