import type { Instruction, Mnemonic } from 'iced-x86';
import { integer } from './integer/index.ts';
import { sse } from './sse/index.ts';
import { system } from './system/index.ts';
import type { TraceWriter } from './trace-writer.ts';
import { x87 } from './x87/index.ts';

/** What follows an instruction in its trace. */
export type Lowered =
  /** The next instruction. */
  | 'next'
  /** Nothing: the micro-op goes elsewhere (a jump, or a system instruction that may change the mode). */
  | 'end'
  /** The engine can't do this form, or another family does. */
  | 'unsupported';

/** Turns one instruction into micro-ops. */
export type Lowering = (instruction: Instruction, writer: TraceWriter) => Lowered;

/** A family's instructions. Families may share a mnemonic (MOV, MOVSD): one says 'unsupported' to the other's forms. */
export type LoweringTable = ReadonlyMap<Mnemonic, Lowering>;

const table: (Lowering[] | undefined)[] = [];
for (const family of [integer, sse, x87, system])
  for (const [mnemonic, lowering] of family) (table[mnemonic] ??= []).push(lowering);

/** Micro-ops of one valid instruction. Nothing is written where it is unsupported. */
export function lower(instruction: Instruction, writer: TraceWriter): Lowered {
  const { at } = writer;
  for (const lowering of table[instruction.mnemonic] ?? []) {
    const lowered = lowering(instruction, writer);
    if (lowered !== 'unsupported') return lowered;
    writer.at = at;
  }
  return 'unsupported';
}
