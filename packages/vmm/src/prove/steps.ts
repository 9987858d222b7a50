import type { Pair } from './pair.ts';
import type { WatchedBytes } from './subject-messages.ts';

/** Single steps that both make before they are asked again. */
const CHUNK = 1000;

/** One instruction of both. */
export interface Step {
  /** Instructions before it. */
  readonly retired: number;
  /** Whether all that is compared was the same behind it. */
  readonly same: boolean;
  /** Whether the watched bytes were; true without any. */
  readonly watchedSame: boolean;
}

/** Steps a pair from where it stands, to the first difference of what is compared or for `count` instructions. */
export async function step(pair: Pair, count: number, watch?: WatchedBytes): Promise<readonly Step[]> {
  const steps: Step[] = [];
  while (steps.length < count) {
    const request = { kind: 'windows', size: 1, count: Math.min(CHUNK, count - steps.length) } as const;
    const [sev, upm] = await pair.both<'windows'>({ ...request, ...(watch === undefined ? {} : { watch }) });
    const made = Math.max(sev.digests.length, upm.digests.length);
    for (let at = 0; at < made; at++) {
      const same = sev.digests[at] === upm.digests[at];
      steps.push({ retired: sev.from + at, same, watchedSame: sev.watched[at] === upm.watched[at] });
      if (!same) return steps;
    }
    if (made < request.count) return steps;
  }
  return steps;
}
