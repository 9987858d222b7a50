import { type Instruction, OpKind } from 'iced-x86';
import { REGS, SEG_BASE, TMP_EA, ZERO } from '../../layout.ts';
import { OP_EA } from '../../ops/integer.ts';
import { SSE_IMMEDIATE } from '../../ops/sse.ts';
import { emitMemory, memorySegment, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';

// IMM of an OP_EA micro-op: see assembly/address.ts.
const MASK_16 = 0x10;
const MASK_32 = 0x20;
const WRAP_32 = 0x40;
const NO_BASE = 0x80;
const RDI = REGS + 8 * 7;

/** The immediate behind the other operands, 0 where there is none. */
export function control(instruction: Instruction): number {
  return instruction.opKind(instruction.opCount - 1) === OpKind.Immediate8 ? instruction.immediate8 : 0;
}

/**
 * A micro-op with destination `a`, whose source is operand 1: a register, an immediate, or memory that is read as `how`
 * says (src/ops/sse.ts).
 */
export function emitSource(
  instruction: Instruction,
  writer: TraceWriter,
  op: number,
  a: number,
  low: number,
  how: number,
): void {
  const kind = instruction.op1Kind;
  if (kind === OpKind.Memory) emitMemory(writer, instruction, op, a, ZERO, low, how);
  else if (kind === OpKind.Immediate8)
    writer.emit(op, a, ZERO, ZERO, ZERO, 0, 0, instruction.immediate8, SSE_IMMEDIATE);
  else writer.emit(op, a, registerAddress(instruction.op1Register), ZERO, ZERO, 0, 0, low, 0);
}

/** The masked stores: memory at DS:RDI (or with a prefix another segment), the value in operand 1, its mask in operand 2. */
export function emitMaskedStore(instruction: Instruction, writer: TraceWriter, op: number): void {
  const segment = memorySegment(instruction);
  const a = registerAddress(instruction.op1Register);
  const b = registerAddress(instruction.op2Register);
  const kind = instruction.op0Kind;
  if (writer.bits === 64 && kind === OpKind.MemorySegRDI) {
    writer.emit(op, a, b, RDI, segment < 4 ? ZERO : SEG_BASE + 8 * segment, 0, 0, 0, 0);
    return;
  }
  const mask = kind === OpKind.MemorySegDI ? MASK_16 : MASK_32;
  const how = writer.bits !== 64 ? segment | mask | WRAP_32 : segment < 4 ? mask | NO_BASE : segment | mask;
  writer.emit(OP_EA, TMP_EA, ZERO, RDI, ZERO, 0, 0, how);
  writer.emit(op, a, b, TMP_EA, ZERO, 0, 0, 0, 0);
}
