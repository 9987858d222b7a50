import { type Instruction, Mnemonic, OpKind } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { addressSize, emitMemory, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { conditionOf, withCondition } from './conditions.ts';
import { emitSource, operandSize } from './shapes.ts';

/** BT, BTS, BTR, BTC: a register's bit offset reaches beyond a memory operand, an immediate's doesn't. */
const bit =
  (kind: number): Lowering =>
  (instruction, writer) => {
    const size = operandSize(instruction, 0);
    const fixed = instruction.op1Kind !== OpKind.Register;
    const b = fixed ? layout.ZERO : registerAddress(instruction.op1Register);
    const at = fixed ? instruction.immediate8 & ((8 << size) - 1) : 0;
    if (instruction.op0Kind === OpKind.Register) {
      const a = registerAddress(instruction.op0Register);
      writer.emit(ops.OP_BIT_R + size, a, b, layout.ZERO, layout.ZERO, 0, 0, at, kind);
    } else {
      const wraps = !fixed && writer.bits === 64 && addressSize(instruction, writer.bits) === 2;
      emitMemory(writer, instruction, ops.OP_BIT_M + size, layout.ZERO, b, wraps ? 1 : at, kind);
    }
    return 'next';
  };

const scan =
  (kind: number): Lowering =>
  (instruction, writer) => {
    const size = operandSize(instruction, 0);
    return emitSource(instruction, writer, ops.OP_SCAN_R + size, ops.OP_SCAN_M + size, kind);
  };

function setcc(instruction: Instruction, writer: TraceWriter): Lowered {
  const code = conditionOf(instruction);
  if (instruction.op0Kind === OpKind.Register) {
    const a = registerAddress(instruction.op0Register);
    writer.emit(ops.OP_SETCC_R, a, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, code);
  } else emitMemory(writer, instruction, ops.OP_SETCC_M, layout.ZERO, layout.ZERO, code);
  return 'next';
}

const CMOVS: readonly (readonly [number, number])[] = [
  [ops.OP_CMOV_16_R, ops.OP_CMOV_16_M],
  [ops.OP_CMOV_R32, ops.OP_CMOV_M32],
  [ops.OP_CMOV_R64, ops.OP_CMOV_M64],
];

function cmov(instruction: Instruction, writer: TraceWriter): Lowered {
  const [register = 0, memory = 0] = CMOVS[operandSize(instruction, 0) - 1] ?? [];
  return emitSource(instruction, writer, register, memory, conditionOf(instruction));
}

export const bits: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Bt, bit(0)],
  [Mnemonic.Bts, bit(1)],
  [Mnemonic.Btr, bit(2)],
  [Mnemonic.Btc, bit(3)],
  [Mnemonic.Bsf, scan(0)],
  [Mnemonic.Bsr, scan(1)],
  [Mnemonic.Tzcnt, scan(2)],
  // Not offered: a processor without it takes LZCNT for BSR, the prefix meaning nothing.
  [Mnemonic.Lzcnt, scan(1)],
  [Mnemonic.Popcnt, scan(3)],
  ...withCondition('Set').map((mnemonic) => [mnemonic, setcc] as const),
  ...withCondition('Cmov').map((mnemonic) => [mnemonic, cmov] as const),
]);
