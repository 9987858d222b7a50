import { type Instruction, Mnemonic, OpKind } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowering, LoweringTable } from '../lower.ts';
import { emitMemory, immediate, immediateHigh, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emitOne, emitShape, emitSource, operandSize } from './shapes.ts';

/** ADD … TEST: any shape. */
const shaped =
  (op: number): Lowering =>
  (instruction, writer) =>
    emitShape(instruction, writer, op);

/** INC DEC NOT NEG: registers of 32 and 64 bits have numbers of their own, next to one another. */
const unary =
  (kind: number, wide: number): Lowering =>
  (instruction, writer) => {
    const size = operandSize(instruction, 0);
    if (instruction.op0Kind !== OpKind.Register || size < 2)
      return emitOne(instruction, writer, ops.OP_UNARY_R, ops.OP_UNARY_M, kind);
    writer.emit(wide + size - 2, registerAddress(instruction.op0Register));
    return 'next';
  };

/** MUL, DIV and IDIV by one operand, IMUL with one to three. */
const multiply =
  (kind: number): Lowering =>
  (instruction, writer) => {
    if (instruction.opCount === 1) return emitOne(instruction, writer, ops.OP_MULTIPLY_R, ops.OP_MULTIPLY_M, kind);
    const size = operandSize(instruction, 0);
    if (instruction.opCount === 3) {
      multiplyByImmediate(instruction, writer, size);
      return 'next';
    }
    if (size === 1) return emitSource(instruction, writer, ops.OP_IMUL_16_R, ops.OP_IMUL_16_M);
    return emitSource(instruction, writer, ops.OP_IMUL_R32 + size - 2, ops.OP_IMUL_M32 + size - 2);
  };

function multiplyByImmediate(instruction: Instruction, writer: TraceWriter, size: number): void {
  const a = registerAddress(instruction.op0Register);
  const [low, high] = [immediate(instruction, 2), immediateHigh(instruction, 2)];
  if (instruction.op1Kind === OpKind.Memory)
    emitMemory(writer, instruction, ops.OP_IMUL_MI + size, a, layout.ZERO, low, high);
  else {
    const b = registerAddress(instruction.op1Register);
    const op = size === 1 ? ops.OP_IMUL_16_RI : ops.OP_IMUL_RI32 + size - 2;
    writer.emit(op, a, b, layout.ZERO, layout.ZERO, 0, 0, low, high);
  }
}

const signToDx =
  (size: number): Lowering =>
  (_, writer) => {
    writer.emit(ops.OP_SIGN_TO_DX + size);
    return 'next';
  };

/** CBW, CWDE, CDQE: MOVSX of RAX's own lower half. */
const signInAx =
  (op: number): Lowering =>
  (_, writer) => {
    writer.emit(op, layout.REGS, layout.REGS);
    return 'next';
  };

export const arithmetic: LoweringTable = new Map([
  [Mnemonic.Add, shaped(ops.OP_ADD)],
  [Mnemonic.Or, shaped(ops.OP_OR)],
  [Mnemonic.Adc, shaped(ops.OP_ADC)],
  [Mnemonic.Sbb, shaped(ops.OP_SBB)],
  [Mnemonic.And, shaped(ops.OP_AND)],
  [Mnemonic.Sub, shaped(ops.OP_SUB)],
  [Mnemonic.Xor, shaped(ops.OP_XOR)],
  [Mnemonic.Cmp, shaped(ops.OP_CMP)],
  [Mnemonic.Test, shaped(ops.OP_TEST)],
  [Mnemonic.Inc, unary(0, ops.OP_INC_R32)],
  [Mnemonic.Dec, unary(1, ops.OP_DEC_R32)],
  [Mnemonic.Not, unary(2, ops.OP_NOT_R32)],
  [Mnemonic.Neg, unary(3, ops.OP_NEG_R32)],
  [Mnemonic.Mul, multiply(4)],
  [Mnemonic.Imul, multiply(5)],
  [Mnemonic.Div, multiply(6)],
  [Mnemonic.Idiv, multiply(7)],
  [Mnemonic.Cwd, signToDx(1)],
  [Mnemonic.Cdq, signToDx(2)],
  [Mnemonic.Cqo, signToDx(3)],
  [Mnemonic.Cbw, signInAx(ops.OP_SX_16_R)],
  [Mnemonic.Cwde, signInAx(ops.OP_SX_R16_32)],
  [Mnemonic.Cdqe, signInAx(ops.OP_SX_R32_64)],
]);
