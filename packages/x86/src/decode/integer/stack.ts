import { Code, type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { emitMemory, immediate, immediateHigh, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { isGeneral } from './shapes.ts';

// Base of what accesses the stack on its own, so that its faults are known as the stack's.
const RSP = registerAddress(Register.RSP);
const RBP = registerAddress(Register.RBP);

/** log2 of the bytes that a push or pop moves. */
function stackSize(instruction: Instruction): number {
  return 31 - Math.clz32(Math.abs(instruction.stackPointerIncrement));
}

function push(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = stackSize(instruction);
  // Of 8 bytes: 64-bit mode.
  const isPlain = size === 3;
  if (instruction.op0Kind === OpKind.Register) {
    if (!isGeneral(instruction, 0)) return 'unsupported';
    const a = registerAddress(instruction.op0Register);
    writer.emit(isPlain ? ops.OP_PUSH_R : ops.OP_PUSH_ANY_R + size, a, layout.ZERO, RSP);
  } else if (instruction.op0Kind === OpKind.Memory) {
    emitMemory(writer, instruction, isPlain ? ops.OP_PUSH_M : ops.OP_PUSH_ANY_M + size);
  } else {
    const op = isPlain ? ops.OP_PUSH_I : ops.OP_PUSH_ANY_I + size;
    const [low, high] = [immediate(instruction, 0), immediateHigh(instruction, 0)];
    writer.emit(op, layout.ZERO, layout.ZERO, RSP, layout.ZERO, 0, 0, low, high);
  }
  return 'next';
}

function pop(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = stackSize(instruction);
  if (instruction.op0Kind === OpKind.Register) {
    if (!isGeneral(instruction, 0)) return 'unsupported';
    writer.emit(
      size === 3 ? ops.OP_POP_R : ops.OP_POP_ANY_R + size,
      registerAddress(instruction.op0Register),
      layout.ZERO,
      RSP,
    );
    return 'next';
  }
  const { at } = writer;
  emitMemory(writer, instruction, ops.OP_POP_ANY_M + size);
  // An address computed in front has the stack pointer from before the pop.
  const base = instruction.memoryBase;
  if (writer.at > at + layout.UOP_BYTES && (base === Register.RSP || base === Register.ESP))
    writer.displace(at, 1 << size);
  return 'next';
}

/** Codes of 16, 32 and 64 bits, in this order. */
const sized =
  (op: number, codes: readonly Code[]): Lowering =>
  (instruction, writer) => {
    const size = codes.indexOf(instruction.code) + 1;
    if (size === 0) return 'unsupported';
    writer.emit(op + size);
    return 'next';
  };

function leave(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = [Code.Leavew, Code.Leaved, Code.Leaveq].indexOf(instruction.code) + 1;
  writer.emit(size === 3 ? ops.OP_LEAVE : ops.OP_LEAVE_ANY + size, layout.ZERO, layout.ZERO, RBP);
  return 'next';
}

function enter(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = [Code.Enterw_imm16_imm8, Code.Enterd_imm16_imm8, Code.Enterq_imm16_imm8].indexOf(instruction.code) + 1;
  const [bytes, level] = [instruction.immediate16, instruction.immediate8_2nd];
  writer.emit(ops.OP_ENTER + size, layout.ZERO, layout.ZERO, RBP, layout.ZERO, 0, 0, bytes, level);
  return 'next';
}

export const stack: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Push, push],
  [Mnemonic.Pop, pop],
  [Mnemonic.Pusha, sized(ops.OP_PUSHA, [Code.Pushaw])],
  [Mnemonic.Pushad, sized(ops.OP_PUSHA, [Code.INVALID, Code.Pushad])],
  [Mnemonic.Popa, sized(ops.OP_POPA, [Code.Popaw])],
  [Mnemonic.Popad, sized(ops.OP_POPA, [Code.INVALID, Code.Popad])],
  [Mnemonic.Leave, leave],
  [Mnemonic.Enter, enter],
]);
