import * as ops from '../ops/integer.ts';
import { PAIRS } from '../ops/pairs.ts';

const { MI, MR, RI, RM, RR, S8, S32, S64 } = ops;

/** By comparison, then by condition: the micro-op that also does the jump behind it. */
const fused = new Map<number, readonly (number | undefined)[]>();

/** By number of a condition without its lowest bit. */
const CMP_GROUPS: readonly (readonly [number, number])[] = [
  [1, ops.GROUP_B],
  [2, ops.GROUP_E],
  [3, ops.GROUP_BE],
  [6, ops.GROUP_L],
  [7, ops.GROUP_LE],
];
for (const [form, number] of [
  [RR + S8, ops.FUSED_RR8],
  [RR + S32, ops.FUSED_RR32],
  [RR + S64, ops.FUSED_RR64],
  [RI + S8, ops.FUSED_RI8],
  [RI + S32, ops.FUSED_RI32],
  [RI + S64, ops.FUSED_RI64],
  [RM + S8, ops.FUSED_RM8],
  [RM + S32, ops.FUSED_RM32],
  [RM + S64, ops.FUSED_RM64],
  [MR + S32, ops.FUSED_MR32],
  [MR + S64, ops.FUSED_MR64],
  [MI + S8, ops.FUSED_MI8],
  [MI + S32, ops.FUSED_MI32],
  [MI + S64, ops.FUSED_MI64],
] as const)
  add(
    ops.OP_CMP + form,
    CMP_GROUPS.map(([pair, group]) => [pair, ops.OP_CMP_JUMP + number + group]),
  );

// Behind TEST carry and overflow are 0: L is S, and BE is E.
for (const [form, e, s, le] of [
  [RR + S8, ops.OP_TEST_JE_RR8, ops.OP_TEST_JS_RR8, undefined],
  [RR + S32, ops.OP_TEST_JE_RR32, ops.OP_TEST_JS_RR32, ops.OP_TEST_JLE_RR32],
  [RR + S64, ops.OP_TEST_JE_RR64, ops.OP_TEST_JS_RR64, ops.OP_TEST_JLE_RR64],
  [RI + S8, ops.OP_TEST_JE_RI8, undefined, undefined],
  [RI + S32, ops.OP_TEST_JE_RI32, undefined, undefined],
  [RI + S64, ops.OP_TEST_JE_RI64, undefined, undefined],
  [MI + S8, ops.OP_TEST_JE_MI8, undefined, undefined],
  [MI + S32, ops.OP_TEST_JE_MI32, undefined, undefined],
] as const)
  add(ops.OP_TEST + form, [
    [2, e],
    [3, e],
    [4, s],
    [6, s],
    [7, le],
  ]);

function add(first: number, pairs: readonly (readonly [number, number | undefined])[]): void {
  const row: (number | undefined)[] = Array.from({ length: 16 });
  for (const [pair, both] of pairs) row[2 * pair] = row[2 * pair + 1] = both;
  fused.set(first, row);
}

/** The micro-op that does `first` and then `second`, which stays behind it; undefined where there is none. */
export function fuse(first: number, second: number): number | undefined {
  return second >= ops.OP_JCC && second < ops.OP_JCC + 16 ? fused.get(first)?.[second - ops.OP_JCC] : undefined;
}

const pairs = new Map(PAIRS.map(([first, second], index) => [(first << 16) | second, ops.OP_PAIRS + index]));

/** The micro-op that does both of two that follow one another; undefined where there is none. */
export function pair(first: number, second: number): number | undefined {
  return pairs.get((first << 16) | second);
}
