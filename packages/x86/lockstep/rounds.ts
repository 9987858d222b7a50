/** How QEMU's icount counts a REP string instruction: each round, and the look at RCX that ends it. */
export type StringKind =
  /** MOVS, STOS, LODS, INS, OUTS: RCX alone ends it. */
  | 'plain'
  /** CMPS, SCAS: ZF may end it, and then RCX is not looked at again. */
  | 'equal'
  | 'unequal';

/** Rounds that were done, and whether the instruction has ended. `zf`: after the last round. */
export function countOfRep(
  kind: StringKind,
  rounds: number,
  left: number,
  zf: boolean,
): { count: number; ended: boolean } {
  const byFlag = rounds > 0 && ((kind === 'equal' && !zf) || (kind === 'unequal' && zf));
  if (byFlag) return { count: rounds, ended: true };
  return left === 0 ? { count: rounds + 1, ended: true } : { count: rounds, ended: false };
}
