import { type Instruction, Mnemonic, OpKind } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/system.ts';
import type { Lowered, Lowering } from '../lower.ts';
import { memorySegment, registerSize } from '../operands.ts';
import type { TraceWriter } from '../trace-writer.ts';
import { emit, how } from './plain.ts';

/** IN and OUT: the accumulator is operand `data`, the port the other one. */
function port(op: number, data: 0 | 1): Lowering {
  return (instruction, writer) => {
    const size = 1 << registerSize(instruction.opRegister(data));
    const isImmediate = instruction.opKind(1 - data) === OpKind.Immediate8;
    emit(writer, op, isImmediate ? how(size, ops.SYS_FLAG, instruction.immediate8) : how(size));
    return 'next';
  };
}

/** Bytes of the address of a string operand. */
function addressBytes(kind: OpKind): number {
  const bytes = stringAddresses.get(kind);
  if (bytes === undefined) throw new RangeError(`operand kind ${kind} is no string operand`);
  return bytes;
}

const stringAddresses = new Map([
  [OpKind.MemoryESDI, 2],
  [OpKind.MemorySegSI, 2],
  [OpKind.MemoryESEDI, 4],
  [OpKind.MemorySegESI, 4],
  [OpKind.MemoryESRDI, 8],
  [OpKind.MemorySegRSI, 8],
]);

function string(op: number, size: number, memory: 0 | 1): Lowering {
  return (instruction: Instruction, writer: TraceWriter): Lowered => {
    const bytes = addressBytes(instruction.opKind(memory));
    const rep = instruction.hasRepPrefix || instruction.hasRepnePrefix ? ops.SYS_REP : 0;
    const segment = memory === 1 ? memorySegment(instruction) : layout.ES;
    const base = writer.bits === 64 && segment < layout.FS ? layout.ZERO : layout.SEG_BASE + 8 * segment;
    writer.emit(op, layout.ZERO, base, layout.ZERO, layout.ZERO, 0, 0, how(size, rep, bytes));
    return 'next';
  };
}

export const ports: readonly (readonly [Mnemonic, Lowering])[] = [
  [Mnemonic.In, port(ops.OP_IN, 0)],
  [Mnemonic.Out, port(ops.OP_OUT, 1)],
  [Mnemonic.Insb, string(ops.OP_INS, 1, 0)],
  [Mnemonic.Insw, string(ops.OP_INS, 2, 0)],
  [Mnemonic.Insd, string(ops.OP_INS, 4, 0)],
  [Mnemonic.Outsb, string(ops.OP_OUTS, 1, 1)],
  [Mnemonic.Outsw, string(ops.OP_OUTS, 2, 1)],
  [Mnemonic.Outsd, string(ops.OP_OUTS, 4, 1)],
];
