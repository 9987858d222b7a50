import type { Evidence } from '@unpin/policy';
import type { Instruction } from './instructions.ts';
import { codeEvidence, type SignalInput } from './signal.ts';

/** How people write it, where the CPU's name for it is another. */
const WRITTEN: Partial<Record<Instruction, string>> = { vmgexit: 'rep vmmcall' };

/** That an instruction occurs, by its first place. */
export function findInstruction(input: SignalInput, instruction: Instruction): Evidence | undefined {
  const sites = input.instructions.get(instruction) ?? [];
  const [first] = sites;
  if (first === undefined) return undefined;
  const seen = `${WRITTEN[instruction] ?? instruction}, at ${sites.length} place${sites.length === 1 ? '' : 's'}`;
  return codeEvidence(input, instruction, first, seen);
}
