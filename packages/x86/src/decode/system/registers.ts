import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/system.ts';
import type { Lowered, Lowering } from '../lower.ts';
import { emitMemory, registerOperand, registerSize } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emit, how } from './plain.ts';

/** ES, CS, SS, DS, FS, GS: iced and the state block count alike. -1 for another register. */
export function segmentOf(register: Register): number {
  return register >= Register.ES && register <= Register.GS ? register - Register.ES : -1;
}

/** MOV to and from segment, control and debug registers; MOV of anything else is another family's. */
function move(instruction: Instruction, writer: TraceWriter): Lowered {
  const to = instruction.op0Kind === OpKind.Register ? instruction.op0Register : Register.None;
  const from = instruction.op1Kind === OpKind.Register ? instruction.op1Register : Register.None;
  if (segmentOf(to) >= 0) return word(ops.OP_MOV_TO_SEGMENT, 1, segmentOf(to))(instruction, writer);
  if (segmentOf(from) >= 0) return word(ops.OP_MOV_FROM_SEGMENT, 0, segmentOf(from))(instruction, writer);
  if (isIn(to, Register.CR0)) return special(writer, ops.OP_MOV_TO_CR, from, to - Register.CR0);
  if (isIn(from, Register.CR0)) return special(writer, ops.OP_MOV_FROM_CR, to, from - Register.CR0);
  if (isIn(to, Register.DR0)) return special(writer, ops.OP_MOV_TO_DR, from, to - Register.DR0);
  if (isIn(from, Register.DR0)) return special(writer, ops.OP_MOV_FROM_DR, to, from - Register.DR0);
  return 'unsupported';
}

/** One of the 16 from `first` on, by iced's numbers. */
function isIn(register: number, first: number): boolean {
  return register >= first && register < first + 16;
}

function special(writer: TraceWriter, op: number, general: Register, number: number): Lowered {
  // DR8–DR15 don't exist; the control registers that don't are told by the interpreter.
  emit(writer, op, how(1 << registerSize(general), 0, number & 15), registerAddressOf(general));
  return 'next';
}

function registerAddressOf(register: Register): number {
  return layout.REGS + 8 * (register - (register >= Register.RAX ? Register.RAX : Register.EAX));
}

/** A 16-bit operand: memory, or a register of any size. */
function word(op: number, operand: 0 | 1, number = 0): Lowering {
  return (instruction, writer) => {
    if (instruction.opKind(operand) === OpKind.Memory)
      emitMemory(writer, instruction, op, layout.ZERO, layout.ZERO, how(2, ops.SYS_MEMORY, number));
    else {
      const size = 1 << registerSize(instruction.opRegister(operand));
      emit(writer, op, how(size, 0, number), registerOperand(instruction, operand));
    }
    return 'next';
  };
}

/** PUSH and POP of a segment register. */
function stack(op: number): Lowering {
  return (instruction, writer) => {
    if (instruction.op0Kind !== OpKind.Register) return 'unsupported';
    const segment = segmentOf(instruction.op0Register);
    if (segment < 0) return 'unsupported';
    emit(writer, op, how(Math.abs(instruction.stackPointerIncrement), 0, segment));
    return 'next';
  };
}

/** LDS and its kin. */
function pointer(segment: number): Lowering {
  return (instruction, writer) => {
    const size = 1 << registerSize(instruction.op0Register);
    const imm = how(size, ops.SYS_MEMORY, segment);
    emitMemory(writer, instruction, ops.OP_LOAD_POINTER, registerOperand(instruction, 0), layout.ZERO, imm);
    return 'next';
  };
}

/** LAR and LSL. */
function query(op: number): Lowering {
  return (instruction, writer) => {
    const a = registerOperand(instruction, 0);
    const size = 1 << registerSize(instruction.op0Register);
    if (instruction.op1Kind === OpKind.Memory)
      emitMemory(writer, instruction, op, a, layout.ZERO, how(size, ops.SYS_MEMORY));
    else writer.emit(op, a, registerOperand(instruction, 1), layout.ZERO, layout.ZERO, 0, 0, how(size));
    return 'next';
  };
}

/** RDRAND and RDSEED. */
function random(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = 1 << registerSize(instruction.op0Register);
  emit(writer, ops.OP_RDRAND, how(size), registerOperand(instruction, 0));
  return 'next';
}

export const registers: readonly (readonly [Mnemonic, Lowering])[] = [
  [Mnemonic.Mov, move],
  [Mnemonic.Push, stack(ops.OP_PUSH_SEGMENT)],
  [Mnemonic.Pop, stack(ops.OP_POP_SEGMENT)],
  [Mnemonic.Lldt, word(ops.OP_LLDT, 0)],
  [Mnemonic.Ltr, word(ops.OP_LTR, 0)],
  [Mnemonic.Sldt, word(ops.OP_SLDT, 0)],
  [Mnemonic.Str, word(ops.OP_STR, 0)],
  [Mnemonic.Smsw, word(ops.OP_SMSW, 0)],
  [Mnemonic.Lmsw, word(ops.OP_LMSW, 0)],
  [Mnemonic.Verr, word(ops.OP_VERR, 0)],
  [Mnemonic.Verw, word(ops.OP_VERW, 0)],
  [Mnemonic.Lar, query(ops.OP_LAR)],
  [Mnemonic.Lsl, query(ops.OP_LSL)],
  [Mnemonic.Lds, pointer(layout.DS)],
  [Mnemonic.Les, pointer(layout.ES)],
  [Mnemonic.Lfs, pointer(layout.FS)],
  [Mnemonic.Lgs, pointer(layout.GS)],
  [Mnemonic.Lss, pointer(layout.SS)],
  [Mnemonic.Rdrand, random],
  [Mnemonic.Rdseed, random],
];
