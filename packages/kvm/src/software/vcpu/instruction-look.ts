import { describeInstruction, type Engine, type MemoryUse } from '@unpin/x86';
import type { View } from '../../port/guest-memory.ts';

/** Memory that an instruction is about to use, by the guest's page tables as they are. */
export interface OperandLook extends MemoryUse {
  /** Of the first byte, without the C bit; null where nothing is mapped. */
  readonly gpa: number | null;
  readonly view: View;
}

/** The instruction that a vCPU stands at, not executed yet. */
export interface InstructionLook {
  readonly rip: bigint;
  /** 0 kernel, 3 user. */
  readonly cpl: number;
  /** Intel syntax; undefined where it can't be read or is none. */
  readonly text?: string;
  readonly bytes: Uint8Array;
  readonly operands: readonly OperandLook[];
}

/** Looks at the instruction whose bytes `code` begins with, on the core. */
export function lookAtInstruction(engine: Engine, code: Uint8Array): InstructionLook {
  const { cpu } = engine;
  const found = describeInstruction(code, cpu);
  const place = { rip: cpu.get('rip'), cpl: cpu.cpl };
  if (found === undefined) return { ...place, bytes: code, operands: [] };
  const operands = found.memory.map((use): OperandLook => {
    const translated = engine.translate(use.linear);
    const view = translated?.encrypted === true ? 'private' : 'shared';
    return { ...use, gpa: translated?.gpa ?? null, view };
  });
  return { ...place, text: found.text, bytes: code.slice(0, found.length), operands };
}
