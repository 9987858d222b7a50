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
  /** The engine can't do this form. */
  | 'unsupported';

/** Turns one instruction into micro-ops. */
export type Lowering = (instruction: Instruction, writer: TraceWriter) => Lowered;

/** A family's instructions. */
export type LoweringTable = ReadonlyMap<Mnemonic, Lowering>;

const table: (Lowering | undefined)[] = [];
for (const family of [integer, sse, x87, system]) for (const [mnemonic, lowering] of family) table[mnemonic] = lowering;

/** Micro-ops of one valid instruction. */
export function lower(instruction: Instruction, writer: TraceWriter): Lowered {
  return table[instruction.mnemonic]?.(instruction, writer) ?? 'unsupported';
}
