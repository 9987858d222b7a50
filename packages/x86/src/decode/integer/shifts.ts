import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { emitMemory, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emitOne, operandSize } from './shapes.ts';

const CL = registerAddress(Register.CL);

/** `kind` as encoded; `wide`: the micro-ops for 32- and 64-bit registers by an immediate, where there are such. */
const shift =
  (kind: number, wide?: number): Lowering =>
  (instruction, writer) => {
    const size = operandSize(instruction, 0);
    if (instruction.op1Kind === OpKind.Register)
      return emitOne(instruction, writer, ops.OP_SHIFT_R, ops.OP_SHIFT_M, kind, 0, CL);
    const count = instruction.immediate8 & (size === 3 ? 63 : 31);
    if (wide === undefined || size < 2 || count === 0 || instruction.op0Kind !== OpKind.Register)
      return emitOne(instruction, writer, ops.OP_SHIFT_R, ops.OP_SHIFT_M, kind, count);
    const a = registerAddress(instruction.op0Register);
    writer.emit(wide + size - 2, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, count);
    return 'next';
  };

const double =
  (right: number): Lowering =>
  (instruction: Instruction, writer: TraceWriter): Lowered => {
    const byCl = instruction.op2Kind === OpKind.Register;
    const b = registerAddress(instruction.op1Register);
    const size = operandSize(instruction, 1);
    const low = right | (byCl ? 2 : 0);
    const high = byCl ? 0 : instruction.immediate8;
    if (instruction.op0Kind === OpKind.Register) {
      const a = registerAddress(instruction.op0Register);
      writer.emit(ops.OP_SHIFT_DOUBLE_R + size, a, b, layout.ZERO, layout.ZERO, 0, 0, low, high);
    } else emitMemory(writer, instruction, ops.OP_SHIFT_DOUBLE_M + size, layout.ZERO, b, low, high);
    return 'next';
  };

export const shifts: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Rol, shift(0, ops.OP_ROL_I32)],
  [Mnemonic.Ror, shift(1, ops.OP_ROR_I32)],
  [Mnemonic.Rcl, shift(2)],
  [Mnemonic.Rcr, shift(3)],
  [Mnemonic.Shl, shift(4, ops.OP_SHL_I32)],
  [Mnemonic.Shr, shift(5, ops.OP_SHR_I32)],
  [Mnemonic.Sal, shift(4, ops.OP_SHL_I32)],
  [Mnemonic.Sar, shift(7, ops.OP_SAR_I32)],
  [Mnemonic.Shld, double(0)],
  [Mnemonic.Shrd, double(1)],
]);
