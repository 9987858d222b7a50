/** Makes a case that differs smaller, as long as it still differs in the same field. */
import { CpuState } from './cpu-state.ts';
import type { Verdict } from './differ.ts';
import { place, type TestCase } from './generator.ts';
import { FX, STATE } from './layout.ts';

export interface Shrunk {
  readonly testCase: TestCase;
  readonly verdict: Verdict;
}

/** Judges a candidate anew on both sides. */
export type Judge = (candidate: TestCase) => Promise<Verdict | undefined>;

/**
 * Drops atoms, then patches, then zeroes registers, vector registers and flags, each for itself, until nothing more can
 * go. At most a few hundred judgements: a case has eight atoms and some sixty inputs.
 */
export async function shrink(testCase: TestCase, verdict: Verdict, judge: Judge): Promise<Shrunk> {
  const field = verdict.differences[0]?.field;
  let best: Shrunk = { testCase, verdict };
  for (let progress = true; progress; ) {
    progress = false;
    for (const make of candidates(best.testCase)) {
      const candidate = make(best.testCase);
      if (candidate === undefined) continue;
      const judged = await judge(candidate);
      if (judged === undefined || judged.unsupported !== undefined || judged.differences[0]?.field !== field) continue;
      best = { testCase: candidate, verdict: judged };
      progress = true;
    }
  }
  return best;
}

/** A smaller case, or undefined where nothing is left to take away. */
type Step = (from: TestCase) => TestCase | undefined;

function candidates({ atoms, patches }: TestCase): Step[] {
  return [
    ...atoms.map((_, index) => dropAtom(index)),
    ...patches.map((patch) => dropPatch(patch.offset)),
    ...Array.from({ length: 16 }, (_, index) => zeroWords(STATE.gpr + 8 * index, 2)),
    ...Array.from({ length: 16 }, (_, index) => zeroWords(STATE.fx + FX.xmm + 16 * index, 4)),
    setFlags,
  ];
}

function dropAtom(index: number): Step {
  return ({ seed, index: number, atoms, keep, state, patches }) => {
    if (keep[index] !== true) return undefined;
    const fewer = keep.map((kept, at) => kept && at !== index);
    const smaller = place(seed, number, atoms, fewer, state, patches);
    return smaller.layout.code.length === 0 ? undefined : smaller;
  };
}

function dropPatch(offset: number): Step {
  return (from) => {
    const patches = from.patches.filter((patch) => patch.offset !== offset);
    return patches.length === from.patches.length ? undefined : { ...from, patches };
  };
}

function zeroWords(offset: number, count: number): Step {
  return (from) => {
    const at = offset / 4;
    if (from.state.words.subarray(at, at + count).every((word) => word === 0)) return undefined;
    const state = copy(from.state);
    state.words.fill(0, at, at + count);
    return { ...from, state };
  };
}

const setFlags: Step = (from) => {
  if (from.state.wordAt(STATE.rflags) === 0x202) return undefined;
  const state = copy(from.state);
  state.word(STATE.rflags, 0x202);
  return { ...from, state };
};

function copy(state: CpuState): CpuState {
  const fresh = new CpuState();
  fresh.copyFrom(state);
  return fresh;
}
