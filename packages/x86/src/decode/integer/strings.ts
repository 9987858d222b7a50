import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowered, Lowering, LoweringTable } from '../lower.ts';
import { memorySegment, registerSize } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';

/** log2 of the address size, by the kind of the operand in memory. */
const ADDRESS_SIZES = new Map<OpKind, number>([
  [OpKind.MemorySegSI, 1],
  [OpKind.MemorySegESI, 2],
  [OpKind.MemorySegRSI, 3],
  [OpKind.MemoryESDI, 1],
  [OpKind.MemoryESEDI, 2],
  [OpKind.MemoryESRDI, 3],
]);

/** IMM of a string micro-op: src/ops/integer.ts. */
function how(instruction: Instruction, writer: TraceWriter, addressSize: number): number {
  return (
    addressSize |
    (memorySegment(instruction) << 2) |
    (writer.bits === 64 ? 0 : 0x20) |
    (instruction.hasRepPrefix ? 0x40 : 0) |
    (instruction.hasRepnePrefix ? 0x80 : 0)
  );
}

const string =
  (op: number): Lowering =>
  (instruction, writer) => {
    // Of the mnemonics some are SSE's too: those have other operands.
    const size = ADDRESS_SIZES.get(instruction.op0Kind) ?? ADDRESS_SIZES.get(instruction.op1Kind);
    if (size === undefined) return 'unsupported';
    const { ZERO } = layout;
    writer.emit(op, ZERO, ZERO, ZERO, ZERO, 0, 0, how(instruction, writer, size));
    return 'next';
  };

function xlat(instruction: Instruction, writer: TraceWriter): Lowered {
  const { ZERO } = layout;
  const base = instruction.memoryBase === Register.None ? Register.RBX : instruction.memoryBase;
  writer.emit(ops.OP_XLAT, ZERO, ZERO, ZERO, ZERO, 0, 0, how(instruction, writer, registerSize(base)));
  return 'next';
}

export const strings: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Movsb, string(ops.OP_MOVS)],
  [Mnemonic.Movsw, string(ops.OP_MOVS + 1)],
  [Mnemonic.Movsd, string(ops.OP_MOVS + 2)],
  [Mnemonic.Movsq, string(ops.OP_MOVS + 3)],
  [Mnemonic.Cmpsb, string(ops.OP_CMPS)],
  [Mnemonic.Cmpsw, string(ops.OP_CMPS + 1)],
  [Mnemonic.Cmpsd, string(ops.OP_CMPS + 2)],
  [Mnemonic.Cmpsq, string(ops.OP_CMPS + 3)],
  [Mnemonic.Stosb, string(ops.OP_STOS)],
  [Mnemonic.Stosw, string(ops.OP_STOS + 1)],
  [Mnemonic.Stosd, string(ops.OP_STOS + 2)],
  [Mnemonic.Stosq, string(ops.OP_STOS + 3)],
  [Mnemonic.Lodsb, string(ops.OP_LODS)],
  [Mnemonic.Lodsw, string(ops.OP_LODS + 1)],
  [Mnemonic.Lodsd, string(ops.OP_LODS + 2)],
  [Mnemonic.Lodsq, string(ops.OP_LODS + 3)],
  [Mnemonic.Scasb, string(ops.OP_SCAS)],
  [Mnemonic.Scasw, string(ops.OP_SCAS + 1)],
  [Mnemonic.Scasd, string(ops.OP_SCAS + 2)],
  [Mnemonic.Scasq, string(ops.OP_SCAS + 3)],
  [Mnemonic.Xlatb, xlat],
]);
