import { type Code, CodeExt, type Mnemonic, OpKind, Register } from 'iced-x86';
import { REGS, ZERO } from '../../layout.ts';
import type { Lowering, LoweringTable } from '../lower.ts';
import { emitMemory } from '../operands.ts';
import { X87_ROWS, type X87Row } from './instructions.ts';
import { mmx } from './mmx.ts';

const rows = new Map<Code, X87Row>(X87_ROWS.map((row) => [row.code, row]));

const lowering: Lowering = (instruction, writer) => {
  const row = rows.get(instruction.code);
  if (row === undefined) return 'unsupported';
  const { op, stack } = row;
  const i = stack === undefined ? 0 : instruction.opRegister(stack.operand) - Register.ST0;
  const imm = row.imm + i * (stack?.factor ?? 0);
  // FNSTSW AX is the only one with a general register.
  if (instruction.op0Kind === OpKind.Memory) emitMemory(writer, instruction, op, ZERO, ZERO, imm);
  else if (instruction.op1Kind === OpKind.Memory) emitMemory(writer, instruction, op, ZERO, ZERO, imm);
  else writer.emit(op, REGS, ZERO, ZERO, ZERO, 0, 0, imm);
  return 'next';
};

function mnemonicOf(code: Code): Mnemonic {
  const info = CodeExt.opCode(code);
  const { mnemonic } = info;
  info.free();
  return mnemonic;
}

export const x87: LoweringTable = new Map([
  ...X87_ROWS.map(({ code }) => [mnemonicOf(code), lowering] as const),
  ...mmx,
]);
