import { Code, type Instruction, Mnemonic } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/system.ts';
import type { Lowered, Lowering } from '../lower.ts';
import { emitMemory } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emit, how } from './plain.ts';

/** Bytes of the base (LGDT and its kin) or of the offset (far pointers) by the instruction's code. */
const sizes = new Map<Code, number>([
  [Code.Lgdt_m1632_16, 2],
  [Code.Lgdt_m1632, 4],
  [Code.Lgdt_m1664, 8],
  [Code.Lidt_m1632_16, 2],
  [Code.Lidt_m1632, 4],
  [Code.Lidt_m1664, 8],
  [Code.Sgdt_m1632_16, 4],
  [Code.Sgdt_m1632, 4],
  [Code.Sgdt_m1664, 8],
  [Code.Sidt_m1632_16, 4],
  [Code.Sidt_m1632, 4],
  [Code.Sidt_m1664, 8],
  [Code.Jmp_m1616, 2],
  [Code.Jmp_m1632, 4],
  [Code.Jmp_m1664, 8],
  [Code.Call_m1616, 2],
  [Code.Call_m1632, 4],
  [Code.Call_m1664, 8],
  [Code.Retfw, 2],
  [Code.Retfw_imm16, 2],
  [Code.Retfd, 4],
  [Code.Retfd_imm16, 4],
  [Code.Retfq, 8],
  [Code.Retfq_imm16, 8],
]);

/** A table register's pair in memory. */
function table(op: number): Lowering {
  return (instruction, writer) => {
    const size = sizes.get(instruction.code);
    if (size === undefined) return 'unsupported';
    emitMemory(writer, instruction, op, layout.ZERO, layout.ZERO, how(size, ops.SYS_MEMORY));
    return 'next';
  };
}

/** JMP and CALL far; the near ones are another family's. */
function far(direct: number, indirect: number, code16: Code, code32: Code): Lowering {
  return (instruction, writer) => {
    const { code } = instruction;
    if (code === code16 || code === code32) {
      const is16 = code === code16;
      const offset = is16 ? instruction.farBranch16 : instruction.farBranch32;
      const imm = how(is16 ? 2 : 4, 0, instruction.farBranchSelector);
      writer.emit(direct, layout.ZERO, layout.ZERO, layout.ZERO, layout.ZERO, 0, offset, imm);
      return 'end';
    }
    const size = sizes.get(code);
    if (size === undefined) return 'unsupported';
    emitMemory(writer, instruction, indirect, layout.ZERO, layout.ZERO, how(size, ops.SYS_MEMORY));
    return 'end';
  };
}

function returnFar(instruction: Instruction, writer: TraceWriter): Lowered {
  const size = sizes.get(instruction.code);
  if (size === undefined) return 'unsupported';
  emit(writer, ops.OP_RETF, how(size, 0, instruction.opCount === 1 ? instruction.immediate16 : 0));
  return 'end';
}

/** The operand is the address itself. */
function invalidatePage(instruction: Instruction, writer: TraceWriter): Lowered {
  emitMemory(writer, instruction, ops.OP_INVLPG);
  return 'end';
}

export const tablesAndFar: readonly (readonly [Mnemonic, Lowering])[] = [
  [Mnemonic.Lgdt, table(ops.OP_LGDT)],
  [Mnemonic.Lidt, table(ops.OP_LIDT)],
  [Mnemonic.Sgdt, table(ops.OP_SGDT)],
  [Mnemonic.Sidt, table(ops.OP_SIDT)],
  [Mnemonic.Jmp, far(ops.OP_JMP_FAR, ops.OP_JMP_FAR_M, Code.Jmp_ptr1616, Code.Jmp_ptr1632)],
  [Mnemonic.Call, far(ops.OP_CALL_FAR, ops.OP_CALL_FAR_M, Code.Call_ptr1616, Code.Call_ptr1632)],
  [Mnemonic.Retf, returnFar],
  [Mnemonic.Invlpg, invalidatePage],
];
