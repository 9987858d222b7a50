import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { emitMemory, emitOffset, immediate, immediateHigh, registerAddress, registerSize } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emitOne, emitShape, emitSource, isGeneral, operandSize } from './shapes.ts';

/** Whether the memory operand is [base + displacement] in 64-bit mode without FS and GS: the shortest way there is. */
function isPlain(instruction: Instruction, writer: TraceWriter): boolean {
  return (
    writer.bits === 64 &&
    instruction.memoryIndex === Register.None &&
    instruction.memorySegment !== Register.FS &&
    instruction.memorySegment !== Register.GS &&
    instruction.memoryDisplSize !== 8 &&
    ((instruction.memoryBase >= Register.RAX && instruction.memoryBase <= Register.R15) ||
      instruction.memoryBase === Register.RIP)
  );
}

function mov(instruction: Instruction, writer: TraceWriter): Lowered {
  const first = instruction.op0Kind;
  const second = instruction.op1Kind;
  if (first === OpKind.Register && second !== OpKind.Register && second !== OpKind.Memory) {
    const a = registerAddress(instruction.op0Register);
    const size = registerSize(instruction.op0Register);
    const low = immediate(instruction, 1);
    // 32 bits clear the upper half, as 64 with an upper half of 0 do.
    const high = size === 2 ? 0 : immediateHigh(instruction, 1);
    const op = ops.OP_MOV + ops.RI + (size === 2 ? ops.S64 : size);
    writer.emit(op, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, low, high);
    return 'next';
  }
  if (first === OpKind.Register && second === OpKind.Memory && isGeneral(instruction, 0)) {
    const size = registerSize(instruction.op0Register);
    if (size >= 2 && isPlain(instruction, writer)) {
      emitMemory(writer, instruction, ops.OP_MOV_LOAD_32 + size - 2, registerAddress(instruction.op0Register));
      return 'next';
    }
  } else if (first === OpKind.Memory && second === OpKind.Register && isGeneral(instruction, 1)) {
    const size = registerSize(instruction.op1Register);
    if (size >= 2 && isPlain(instruction, writer)) {
      const b = registerAddress(instruction.op1Register);
      emitMemory(writer, instruction, ops.OP_MOV_STORE_32 + size - 2, layout.ZERO, b);
      return 'next';
    }
  }
  return emitShape(instruction, writer, ops.OP_MOV);
}

/** By [source size][destination size]: register's and memory's micro-op. */
const SIGNED: readonly (readonly (readonly [number, number] | undefined)[])[] = [
  [undefined, [ops.OP_SX_16_R, ops.OP_SX_16_M], [ops.OP_SX_R8_32, ops.OP_SX_M8_32], [ops.OP_SX_R8_64, ops.OP_SX_M8_64]],
  [undefined, undefined, [ops.OP_SX_R16_32, ops.OP_SX_M16_32], [ops.OP_SX_R16_64, ops.OP_SX_M16_64]],
  [undefined, undefined, undefined, [ops.OP_SX_R32_64, ops.OP_SX_M32_64]],
];

const ZEROED: readonly (readonly (readonly [number, number] | undefined)[])[] = [
  [undefined, [ops.OP_ZX_16_R, ops.OP_ZX_16_M], [ops.OP_ZX_R8, ops.OP_ZX_M8], [ops.OP_ZX_R8, ops.OP_ZX_M8]],
  [undefined, undefined, [ops.OP_ZX_R16, ops.OP_ZX_M16], [ops.OP_ZX_R16, ops.OP_ZX_M16]],
];

const extended =
  (table: typeof SIGNED): Lowering =>
  (instruction, writer) => {
    const to = operandSize(instruction, 0);
    const op = table[operandSize(instruction, 1)]?.[to];
    // MOVSXD r32, r32 and MOVZX r16, r16 extend nothing. Of memory the first reads what is written.
    return op === undefined
      ? emitSource(instruction, writer, ops.OP_MOV + ops.RR + to, ops.OP_MOV + ops.RM + to)
      : emitSource(instruction, writer, ...op);
  };

function lea(instruction: Instruction, writer: TraceWriter): Lowered {
  const op = ops.OP_LEA_16 + registerSize(instruction.op0Register) - 1;
  emitOffset(writer, instruction, op, registerAddress(instruction.op0Register));
  return 'next';
}

/** XCHG, XADD, CMPXCHG: the first operand may be memory, the second is a register. */
const exchange =
  (register: number, memory: number): Lowering =>
  (instruction, writer) =>
    emitOne(instruction, writer, register, memory, 0, 0, registerAddress(instruction.op1Register));

const wholeExchange =
  (op: number): Lowering =>
  (instruction, writer) => {
    emitMemory(writer, instruction, op);
    return 'next';
  };

function bswap(instruction: Instruction, writer: TraceWriter): Lowered {
  const { op0Register } = instruction;
  writer.emit(ops.OP_BSWAP + registerSize(op0Register), registerAddress(op0Register));
  return 'next';
}

export const moves: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Mov, mov],
  [Mnemonic.Movnti, mov],
  [Mnemonic.Movzx, extended(ZEROED)],
  [Mnemonic.Movsx, extended(SIGNED)],
  [Mnemonic.Movsxd, extended(SIGNED)],
  [Mnemonic.Lea, lea],
  [Mnemonic.Xchg, exchange(ops.OP_XCHG_R, ops.OP_XCHG_M)],
  [Mnemonic.Xadd, exchange(ops.OP_XADD_R, ops.OP_XADD_M)],
  [Mnemonic.Cmpxchg, exchange(ops.OP_CMPXCHG_R, ops.OP_CMPXCHG_M)],
  [Mnemonic.Cmpxchg8b, wholeExchange(ops.OP_CMPXCHG_8B)],
  [Mnemonic.Cmpxchg16b, wholeExchange(ops.OP_CMPXCHG_16B)],
  [Mnemonic.Bswap, bswap],
]);
