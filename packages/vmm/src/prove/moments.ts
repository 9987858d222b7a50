import { follow } from './follow.ts';
import type { Both, Pair } from './pair.ts';
import { step } from './steps.ts';
import type { LookAnswer, WatchedBytes } from './subject-messages.ts';

/** One instruction of both subjects, before and behind it. */
export interface Moment {
  readonly before: Both<LookAnswer>;
  readonly behind: Both<LookAnswer>;
}

/**
 * Instructions before the first one behind which both differ, in a window whose end differs and whose beginning does not.
 * Nobody goes back: the guests are run again from their first instruction, and do the same again.
 */
export async function firstDifference(pair: Pair, from: number, window: number): Promise<number> {
  await pair.restart();
  await pair.runTo(from);
  const last = (await step(pair, window)).at(-1);
  if (last === undefined || last.same)
    throw new Error(`the difference behind instruction ${from} was not there a second time`);
  return last.retired;
}

/**
 * Instructions before the one that made the watched bytes differ for the last time before `until`; undefined where they
 * were never the same. Both subjects are the same until then.
 */
export async function lastParting(
  pair: Pair,
  watch: WatchedBytes,
  until: number,
  window: number,
): Promise<number | undefined> {
  const whole = Math.floor(until / window) * window;
  await pair.restart();
  const { watched } = whole === 0 ? { watched: [] } : await follow(pair, { window, instructions: whole, watch });
  const lastSame = watched.findLastIndex(({ same }) => same);
  const from = lastSame < 0 ? 0 : (watched[lastSame + 1]?.from ?? whole);
  await pair.restart();
  await pair.runTo(from);
  const steps = await step(pair, Math.min(window, until - from), watch);
  const parting = steps.findLast(
    ({ watchedSame }, at) => !watchedSame && (steps[at - 1]?.watchedSame ?? lastSame >= 0),
  );
  return parting?.retired;
}

/** Both at an instruction, and behind it. */
export async function momentAt(pair: Pair, retired: number, watch?: WatchedBytes): Promise<Moment> {
  await pair.restart();
  await pair.runTo(retired);
  const before = await pair.look(watch);
  await pair.runTo(retired + 1);
  return { before, behind: await pair.look(watch) };
}
