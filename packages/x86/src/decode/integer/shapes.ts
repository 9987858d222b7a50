import { type Instruction, MemorySize, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import { MI, MR, RI, RM, RR } from '../../ops/integer.ts';
import type { Lowered } from '../lower.ts';
import { emitMemory, immediate, immediateHigh, registerAddress, registerSize, type Size } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';

/** Whether an operand is a register of 8 to 64 bits: others belong to other families. */
export function isGeneral(instruction: Instruction, operand: number): boolean {
  const register = instruction.opRegister(operand);
  return register >= Register.AL && register <= Register.R15;
}

/** log2 of the bytes of a register or memory operand (general-purpose ones only). */
export function operandSize(instruction: Instruction, operand: number): Size {
  if (instruction.opKind(operand) === OpKind.Register) return registerSize(instruction.opRegister(operand));
  const size = MEMORY_SIZES.get(instruction.memorySize);
  if (size === undefined)
    throw new RangeError(`memory operand of kind ${instruction.memorySize} has no size of its own`);
  return size;
}

const MEMORY_SIZES: ReadonlyMap<MemorySize, Size> = new Map<MemorySize, Size>([
  [MemorySize.UInt8, 0],
  [MemorySize.Int8, 0],
  [MemorySize.UInt16, 1],
  [MemorySize.Int16, 1],
  [MemorySize.WordOffset, 1],
  [MemorySize.UInt32, 2],
  [MemorySize.Int32, 2],
  [MemorySize.DwordOffset, 2],
  [MemorySize.UInt64, 3],
  [MemorySize.Int64, 3],
  [MemorySize.QwordOffset, 3],
]);

/** A two-operand micro-op of any shape: `op` plus shape plus size. */
export function emitShape(instruction: Instruction, writer: TraceWriter, op: number): Lowered {
  const first = instruction.op0Kind;
  const second = instruction.op1Kind;
  if (first === OpKind.Register) {
    if (!isGeneral(instruction, 0)) return 'unsupported';
    const a = registerAddress(instruction.op0Register);
    const size = registerSize(instruction.op0Register);
    if (second === OpKind.Register) {
      if (!isGeneral(instruction, 1)) return 'unsupported';
      writer.emit(op + RR + size, a, registerAddress(instruction.op1Register));
    } else if (second === OpKind.Memory) emitMemory(writer, instruction, op + RM + size, a);
    else {
      const [low, high] = [immediate(instruction, 1), immediateHigh(instruction, 1)];
      writer.emit(op + RI + size, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, low, high);
    }
    return 'next';
  }
  if (second === OpKind.Register) {
    if (!isGeneral(instruction, 1)) return 'unsupported';
    const b = registerAddress(instruction.op1Register);
    emitMemory(writer, instruction, op + MR + registerSize(instruction.op1Register), layout.ZERO, b);
  } else {
    const [low, high] = [immediate(instruction, 1), immediateHigh(instruction, 1)];
    emitMemory(writer, instruction, op + MI + operandSize(instruction, 0), layout.ZERO, layout.ZERO, low, high);
  }
  return 'next';
}

/**
 * A micro-op with one operand that is a register (A; `register` plus its size) or memory (`memory` plus its size).
 * `b` is another register's address.
 */
export function emitOne(
  instruction: Instruction,
  writer: TraceWriter,
  register: number,
  memory: number,
  low = 0,
  high: number = low >> 31,
  b: number = layout.ZERO,
): Lowered {
  if (instruction.op0Kind === OpKind.Register) {
    if (!isGeneral(instruction, 0)) return 'unsupported';
    const size = registerSize(instruction.op0Register);
    const a = registerAddress(instruction.op0Register);
    writer.emit(register + size, a, b, layout.ZERO, layout.ZERO, 0, 0, low, high);
  } else emitMemory(writer, instruction, memory + operandSize(instruction, 0), layout.ZERO, b, low, high);
  return 'next';
}

/**
 * A micro-op whose destination is the register A and whose second operand is a register (B) or memory. The numbers are
 * complete: sizes are theirs.
 */
export function emitSource(
  instruction: Instruction,
  writer: TraceWriter,
  register: number,
  memory: number,
  low = 0,
  high: number = low >> 31,
): Lowered {
  const a = registerAddress(instruction.op0Register);
  if (instruction.op1Kind === OpKind.Register) {
    const b = registerAddress(instruction.op1Register);
    writer.emit(register, a, b, layout.ZERO, layout.ZERO, 0, 0, low, high);
  } else emitMemory(writer, instruction, memory, a, layout.ZERO, low, high);
  return 'next';
}
