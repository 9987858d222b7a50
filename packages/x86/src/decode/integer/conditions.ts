import { type Instruction, Mnemonic } from 'iced-x86';

/** As encoded, 0 to 15. */
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

/** The mnemonics of an instruction with every condition: Jo, Jno and so on. */
export function withCondition(stem: 'J' | 'Set' | 'Cmov'): Mnemonic[] {
  return CONDITIONS.map((condition) => Mnemonic[`${stem}${condition}`]);
}

/** The condition as it is encoded. iced numbers them from 1 on. */
export function conditionOf(instruction: Instruction): number {
  return instruction.conditionCode - 1;
}
