import { Code, type Instruction, MemorySize, Mnemonic, OpKind } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { emitMemory, registerAddress } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { conditionOf, withCondition } from './conditions.ts';
import { isGeneral, operandSize } from './shapes.ts';

// Base of what accesses the stack on its own, so that its faults are known as the stack's.
const RSP = layout.REGS + 4 * 8;

const BRANCH_SIZES = new Map([
  [OpKind.NearBranch16, 1],
  [OpKind.NearBranch32, 2],
  [OpKind.NearBranch64, 3],
]);

/**
 * Writes a micro-op with a direct target, relative to the page. Code is decoded with IP = offset in the page: what wraps
 * in 16 or 32 bits is taken back here, and wrapped with the real IP when the jump is taken.
 */
function emitDirect(instruction: Instruction, writer: TraceWriter, op: number, a: number, b = layout.ZERO): void {
  const base = op === ops.OP_CALL ? RSP : layout.ZERO;
  const kind = instruction.op0Kind;
  let low = instruction.nearBranch32;
  let high = low >> 31;
  if (kind === OpKind.NearBranch16) low = writer.next + (((low - writer.next) << 16) >> 16);
  else if (kind === OpKind.NearBranch32) low = writer.next + ((low - writer.next) | 0);
  else if (((low + 0x1000) ^ low) < 0) {
    // So far away that offset and distance together need more than 32 bits.
    const target = BigInt.asIntN(64, instruction.nearBranch64);
    high = Number(target >> 32n);
  }
  if (kind !== OpKind.NearBranch64) high = Math.floor(low / 2 ** 32);
  writer.emit(op, a, b, base, layout.ZERO, 0, 0, low, high);
}

/** `plain` in 64-bit mode, `any` plus size elsewhere; null where the operand is none of a near branch. */
function direct(instruction: Instruction, writer: TraceWriter, plain: number, any: number, a: number): boolean {
  const size = BRANCH_SIZES.get(instruction.op0Kind);
  if (size === undefined) return false;
  emitDirect(instruction, writer, size === 3 ? plain : any + size, a);
  return true;
}

/** JMP and CALL to a register or what memory holds, of `size`; not far. */
function indirect(
  instruction: Instruction,
  writer: TraceWriter,
  plain: number,
  register: number,
  memory: number,
): Lowered {
  if (instruction.op0Kind === OpKind.Register) {
    if (!isGeneral(instruction, 0)) return 'unsupported';
    const size = operandSize(instruction, 0);
    writer.emit(
      size === 3 ? plain : register + size,
      registerAddress(instruction.op0Register),
      layout.ZERO,
      plain === ops.OP_CALL_R ? RSP : layout.ZERO,
    );
    return 'end';
  }
  if (instruction.op0Kind !== OpKind.Memory || !NEAR_POINTERS.has(instruction.memorySize)) return 'unsupported';
  const size = operandSize(instruction, 0);
  // The memory form's number follows the register's.
  emitMemory(writer, instruction, size === 3 ? plain + 1 : memory + size);
  return 'end';
}

const NEAR_POINTERS = new Set([
  MemorySize.WordOffset,
  MemorySize.DwordOffset,
  MemorySize.QwordOffset,
  MemorySize.UInt16,
  MemorySize.UInt32,
  MemorySize.UInt64,
]);

function jmp(instruction: Instruction, writer: TraceWriter): Lowered {
  if (direct(instruction, writer, ops.OP_JMP, ops.OP_JMP_ANY, layout.ZERO)) return 'end';
  return indirect(instruction, writer, ops.OP_JMP_R, ops.OP_JMP_ANY_R, ops.OP_JMP_ANY_M);
}

function call(instruction: Instruction, writer: TraceWriter): Lowered {
  if (direct(instruction, writer, ops.OP_CALL, ops.OP_CALL_ANY, layout.ZERO)) return 'end';
  return indirect(instruction, writer, ops.OP_CALL_R, ops.OP_CALL_ANY_R, ops.OP_CALL_ANY_M);
}

function jcc(instruction: Instruction, writer: TraceWriter): Lowered {
  const code = conditionOf(instruction);
  return direct(instruction, writer, ops.OP_JCC + code, ops.OP_JCC_ANY, code) ? 'next' : 'unsupported';
}

const RETURNS = new Map<Code, number>([
  [Code.Retnw, 1],
  [Code.Retnw_imm16, 1],
  [Code.Retnd, 2],
  [Code.Retnd_imm16, 2],
  [Code.Retnq, 3],
  [Code.Retnq_imm16, 3],
]);

function ret(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = RETURNS.get(instruction.code);
  if (size === undefined) return 'unsupported';
  const drop = instruction.opCount === 1 ? instruction.immediate16 : 0;
  const op = size === 3 ? ops.OP_RET : ops.OP_RET_ANY + size;
  writer.emit(op, layout.ZERO, layout.ZERO, RSP, layout.ZERO, 0, 0, drop);
  return 'end';
}

const COUNTER_16 = new Set<Code>([
  Code.Loop_rel8_16_CX,
  Code.Loop_rel8_32_CX,
  Code.Loope_rel8_16_CX,
  Code.Loope_rel8_32_CX,
  Code.Loopne_rel8_16_CX,
  Code.Loopne_rel8_32_CX,
  Code.Jcxz_rel8_16,
  Code.Jcxz_rel8_32,
]);
const COUNTER_64 = new Set<Code>([
  Code.Loop_rel8_64_RCX,
  Code.Loope_rel8_64_RCX,
  Code.Loopne_rel8_64_RCX,
  Code.Jrcxz_rel8_64,
  Code.Loop_rel8_16_RCX,
  Code.Loope_rel8_16_RCX,
  Code.Loopne_rel8_16_RCX,
  Code.Jrcxz_rel8_16,
]);

const loop =
  (kind: number): Lowering =>
  (instruction, writer) => {
    const size = BRANCH_SIZES.get(instruction.op0Kind);
    if (size === undefined) return 'unsupported';
    const counter = COUNTER_16.has(instruction.code) ? 1 : COUNTER_64.has(instruction.code) ? 3 : 2;
    emitDirect(instruction, writer, ops.OP_LOOP_ANY + size, kind, counter);
    return 'next';
  };

export const control: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Jmp, jmp],
  [Mnemonic.Call, call],
  [Mnemonic.Ret, ret],
  [Mnemonic.Loopne, loop(0)],
  [Mnemonic.Loope, loop(1)],
  [Mnemonic.Loop, loop(2)],
  [Mnemonic.Jcxz, loop(3)],
  [Mnemonic.Jecxz, loop(3)],
  [Mnemonic.Jrcxz, loop(3)],
  ...withCondition('J').map((mnemonic) => [mnemonic, jcc] as const),
]);
