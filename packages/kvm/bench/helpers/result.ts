import type { BenchResult } from '../../../../scripts/bench.ts';

export type { BenchResult };

/** The middle of some measurements. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The mean of the best tenth of some rates: what the machine gives when nothing else runs on it. */
export function undisturbed(rates: readonly number[]): number {
  const best = rates.toSorted((a, b) => b - a).slice(0, Math.ceil(rates.length / 10));
  return best.reduce((sum, rate) => sum + rate, 0) / best.length;
}

/** Rates of both sides, measured in alternating rounds. */
export interface Rounds {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/** Both sides by their undisturbed rates. */
export function compare(name: string, unit: string, rounds: Rounds, goal: number): BenchResult {
  const [ours, peer] = [undisturbed(rounds.ours), undisturbed(rounds.peer)];
  const ratio = ours / peer;
  const note = `the best tenth of ${rounds.ours.length} alternating rounds each; the peer is C, gcc -O2`;
  return { name, unit, ours, peer, ratio, goal: `≥ ${goal}`, met: ratio >= goal, note };
}
