import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import { ZERO } from '../../layout.ts';
import * as ops from '../../ops/sse.ts';
import type { Lowered, Lowering } from '../lower.ts';
import { emitMemory, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { control, emitMaskedStore, emitSource } from './operands.ts';

const isXmm = (register: Register): boolean => register >= Register.XMM0 && register <= Register.XMM15;
const isMmx = (register: Register): boolean => register >= Register.MM0 && register <= Register.MM7;

/** 128 bits between registers and memory. */
function whole(how: number): Lowering {
  return (instruction, writer) => {
    if (instruction.op0Kind === OpKind.Memory)
      emitMemory(writer, instruction, ops.OP_SSE_STORE128, ZERO, registerAddress(instruction.op1Register), 0, how);
    else emitSource(instruction, writer, ops.OP_SSE_COPY128, registerAddress(instruction.op0Register), 0, how);
    return 'next';
  };
}

/** The lowest element: a load clears the rest of the register, a move between registers keeps it. */
function scalar(bytes: 4 | 8, copy: number, load: number, store: number): Lowering {
  return (instruction, writer) => {
    if (instruction.op0Kind === OpKind.Memory)
      emitMemory(writer, instruction, store, ZERO, registerAddress(instruction.op1Register), 0, bytes);
    else {
      const op = instruction.op1Kind === OpKind.Memory ? load : copy;
      emitSource(instruction, writer, op, registerAddress(instruction.op0Register), 0, bytes);
    }
    return 'next';
  };
}

/** Half a register: `to` and `from` are byte offsets of the halves (`from` where the source is a register). */
function half(to: number, from: number): Lowering {
  return (instruction, writer) => {
    if (instruction.op0Kind === OpKind.Memory) {
      const b = registerAddress(instruction.op1Register) + to;
      emitMemory(writer, instruction, ops.OP_SSE_STORE64, ZERO, b, 0, 8);
    } else if (instruction.op1Kind === OpKind.Memory)
      emitSource(instruction, writer, ops.OP_SSE_COPY64, registerAddress(instruction.op0Register) + to, 0, 8);
    else {
      const b = registerAddress(instruction.op1Register) + from;
      writer.emit(ops.OP_SSE_COPY64, registerAddress(instruction.op0Register) + to, b, ZERO, ZERO, 0, 0, 0, 0);
    }
    return 'next';
  };
}

/** MOVD and MOVQ: between XMM or MMX registers, general registers and memory. */
function movdOrMovq(bytes: 4 | 8): Lowering {
  const load = bytes === 4 ? ops.OP_SSE_LOAD32 : ops.OP_SSE_LOAD64;
  const store = bytes === 4 ? ops.OP_SSE_STORE32 : ops.OP_SSE_STORE64;
  const toGeneral = bytes === 4 ? ops.OP_SSE_TO_GPR32 : ops.OP_SSE_COPY64;
  return (instruction, writer): Lowered => {
    const { op0Register, op1Register } = instruction;
    const inMemory = instruction.op0Kind === OpKind.Memory;
    if ((!inMemory && isMmx(op0Register)) || (instruction.op1Kind !== OpKind.Memory && isMmx(op1Register)))
      return 'unsupported';
    if (inMemory) emitMemory(writer, instruction, store, ZERO, registerAddress(op1Register), 0, bytes);
    else emitSource(instruction, writer, isXmm(op0Register) ? load : toGeneral, registerAddress(op0Register), 0, bytes);
    return 'next';
  };
}

/** Register operands only, or a memory operand of `bytes`; `how` 0 where there is none. */
function plain(op: number, how = 0): Lowering {
  return (instruction: Instruction, writer: TraceWriter): Lowered => {
    if (isMmx(instruction.op0Register) || isMmx(instruction.op1Register)) return 'unsupported';
    emitSource(instruction, writer, op, registerAddress(instruction.op0Register), control(instruction), how);
    return 'next';
  };
}

/** Memory = register. */
function toMemory(op: number | ((instruction: Instruction) => number)): Lowering {
  return (instruction, writer) => {
    const b = instruction.opCount > 1 ? registerAddress(instruction.op1Register) : ZERO;
    emitMemory(writer, instruction, typeof op === 'number' ? op : op(instruction), ZERO, b, 0, 0);
    return 'next';
  };
}

const maskedStore: Lowering = (instruction, writer) => {
  emitMaskedStore(instruction, writer, ops.OP_MASKMOVDQU);
  return 'next';
};

/** FXSAVE and FXRSTOR, with pointers of 64 bits where `wide` is 1. */
const extended =
  (op: number, wide: 0 | 1): Lowering =>
  (instruction, writer) => {
    emitMemory(writer, instruction, op, ZERO, ZERO, wide);
    return 'next';
  };

const movsd = scalar(8, ops.OP_SSE_COPY64, ops.OP_SSE_LOAD64, ops.OP_SSE_STORE64);
const aligned = whole(16 | ops.SSE_ALIGNED);
const unaligned = whole(16);

export const moves: readonly (readonly [Mnemonic, Lowering])[] = [
  [Mnemonic.Movaps, aligned],
  [Mnemonic.Movapd, aligned],
  [Mnemonic.Movdqa, aligned],
  [Mnemonic.Movntps, aligned],
  [Mnemonic.Movntpd, aligned],
  [Mnemonic.Movntdq, aligned],
  [Mnemonic.Movups, unaligned],
  [Mnemonic.Movupd, unaligned],
  [Mnemonic.Movdqu, unaligned],
  [Mnemonic.Movss, scalar(4, ops.OP_SSE_COPY32, ops.OP_SSE_LOAD32, ops.OP_SSE_STORE32)],
  [
    Mnemonic.Movsd,
    // The string instruction of this name is none of SSE's.
    (instruction, writer) =>
      isXmm(instruction.op0Register) || isXmm(instruction.op1Register) ? movsd(instruction, writer) : 'unsupported',
  ],
  [Mnemonic.Movlps, half(0, 0)],
  [Mnemonic.Movlpd, half(0, 0)],
  [Mnemonic.Movhps, half(8, 0)],
  [Mnemonic.Movhpd, half(8, 0)],
  [Mnemonic.Movhlps, half(0, 8)],
  [Mnemonic.Movlhps, half(8, 0)],
  [Mnemonic.Movd, movdOrMovq(4)],
  [Mnemonic.Movq, movdOrMovq(8)],
  [Mnemonic.Movnti, toMemory(({ op1Register }) => (op1Register >= Register.RAX ? ops.OP_MOVNTI64 : ops.OP_MOVNTI32))],
  [Mnemonic.Movmskps, plain(ops.OP_MOVMSKPS)],
  [Mnemonic.Movmskpd, plain(ops.OP_MOVMSKPD)],
  [Mnemonic.Pmovmskb, plain(ops.OP_PMOVMSKB)],
  [Mnemonic.Pinsrw, plain(ops.OP_PINSRW, 2)],
  [Mnemonic.Pextrw, plain(ops.OP_PEXTRW)],
  [Mnemonic.Maskmovdqu, maskedStore],
  [
    Mnemonic.Ldmxcsr,
    (instruction, writer) => {
      emitMemory(writer, instruction, ops.OP_LDMXCSR, ZERO, ZERO, 0, 4);
      return 'next';
    },
  ],
  [Mnemonic.Stmxcsr, toMemory(ops.OP_STMXCSR)],
  [Mnemonic.Fxsave, extended(ops.OP_FXSAVE, 0)],
  [Mnemonic.Fxsave64, extended(ops.OP_FXSAVE, 1)],
  [Mnemonic.Fxrstor, extended(ops.OP_FXRSTOR, 0)],
  [Mnemonic.Fxrstor64, extended(ops.OP_FXRSTOR, 1)],
];
