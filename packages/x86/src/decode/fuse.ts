import {
  GROUP_B,
  GROUP_BE,
  GROUP_E,
  GROUP_L,
  GROUP_LE,
  GROUP_S,
  GROUP_TEST_LE,
  MI,
  MR,
  OP_CMP,
  OP_CMP_JUMP,
  OP_JCC,
  OP_TEST,
  OP_TEST_JUMP,
  RI,
  RM,
  RR,
  S8,
  S32,
  S64,
} from '../ops/integer.ts';

/** By comparison, then by condition: the micro-op that also does the jump behind it. */
const fused = new Map<number, readonly (number | undefined)[]>();

const CMP_GROUPS: Readonly<Record<number, number>> = { 1: GROUP_B, 2: GROUP_E, 3: GROUP_BE, 6: GROUP_L, 7: GROUP_LE };
for (const [shape, sizes] of [
  [RR, [S32, S64]],
  [RI, [S8, S32, S64]],
  [RM, [S32, S64]],
  [MR, [S32, S64]],
  [MI, [S8, S32, S64]],
] as const)
  for (const size of sizes) add(OP_CMP, OP_CMP_JUMP, shape + size, CMP_GROUPS);

// Behind TEST carry and overflow are 0: L is S, and BE is E.
const TEST_E = { 2: GROUP_E, 3: GROUP_E };
const TEST_S = { ...TEST_E, 4: GROUP_S, 6: GROUP_S };
for (const [shape, sizes, groups] of [
  [RR, [S8], TEST_S],
  [RR, [S32, S64], { ...TEST_S, 7: GROUP_TEST_LE }],
  [RI, [S8, S32, S64], TEST_E],
  [MI, [S8, S32], TEST_E],
] as const)
  for (const size of sizes) add(OP_TEST, OP_TEST_JUMP, shape + size, groups);

function add(first: number, both: number, form: number, groups: Readonly<Record<number, number>>): void {
  const row = Array.from({ length: 16 }, (_, condition) => {
    const group = groups[condition >> 1];
    return group === undefined ? undefined : both + group + form;
  });
  fused.set(first + form, row);
}

/** The micro-op that does `first` and then `second`, which stays behind it; undefined where there is none. */
export function fuse(first: number, second: number): number | undefined {
  return second >= OP_JCC && second < OP_JCC + 16 ? fused.get(first)?.[second - OP_JCC] : undefined;
}
