import type { Both, Pair } from './pair.ts';
import type { SubjectState, WatchedBytes } from './subject-messages.ts';

/** Windows that both run before they are asked again. */
const CHUNK = 64;

export interface FollowOptions {
  /** Instructions between two comparisons. */
  readonly window: number;
  /** Instructions in all. */
  readonly instructions: number;
  readonly watch?: WatchedBytes;
  readonly onProgress?: (state: SubjectState) => void;
}

export interface Followed {
  /** Instructions before the first window in which they differ; undefined where they never did. */
  readonly differsFrom: number | undefined;
  readonly windows: number;
  readonly states: Both<SubjectState>;
  /** Whether the watched bytes were the same in both at the end of each window, and where the windows began. */
  readonly watched: readonly { readonly from: number; readonly same: boolean }[];
}

/** Runs a pair window by window, to the first that differs, to the guest's end, or for so many instructions. */
export async function follow(pair: Pair, options: FollowOptions): Promise<Followed> {
  const { window, instructions, watch, onProgress } = options;
  const watched: { from: number; same: boolean }[] = [];
  let windows = 0;
  let done = 0;
  for (;;) {
    const count = Math.min(CHUNK, Math.ceil((instructions - done) / window));
    const request = { kind: 'windows', size: window, count, ...(watch === undefined ? {} : { watch }) } as const;
    const [sev, upm] = await pair.both<'windows'>(request);
    const states: Both<SubjectState> = [sev.state, upm.state];
    const made = Math.max(sev.digests.length, upm.digests.length);
    for (let at = 0; at < made; at++) {
      const from = sev.from + at * window;
      if (watch !== undefined && at < sev.watched.length && at < upm.watched.length)
        watched.push({ from, same: sev.watched[at] === upm.watched[at] });
      if (sev.digests[at] !== upm.digests[at]) return { differsFrom: from, windows, states, watched };
      windows += 1;
    }
    done = sev.state.retired;
    onProgress?.(sev.state);
    if (sev.state.end !== undefined || done >= instructions)
      return { differsFrom: undefined, windows, states, watched };
  }
}
