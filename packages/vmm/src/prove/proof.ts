import { type Divergence, isByChance, type NamedLie } from './divergence.ts';
import type { SubjectEnd, SubjectState } from './subject-messages.ts';

/** What came of running one image as `sev` and as `sev-upm`, side by side. */
export interface Proof {
  /**
   * - `same`: they did the same up to where the run ended, in user space, with conversions reported.
   * - `diverged`: they did not; `divergence` names the instruction.
   * - `unknown`: the run says nothing; `why` tells.
   */
  readonly outcome: 'same' | 'diverged' | 'unknown';
  readonly why?: string;
  readonly seed: number;
  readonly memoryBytes: number;
  /** Instructions of each, delivered exceptions among them. */
  readonly instructions: number;
  /** Instructions between two comparisons, and how many there were. */
  readonly window: number;
  readonly windows: number;
  /** SHA-256 of all that was compared, hex: the same again with the same image, seed and window. */
  readonly digest: string;
  /** Why the run ended; absent where it had had its instructions. */
  readonly end?: SubjectEnd;
  readonly userSpace: boolean;
  /** The guest ran with its C bit. */
  readonly encrypted: boolean;
  /** By the guest's own clock. */
  readonly guestSeconds: number;
  /** By ours, with what was run again to find an instruction. */
  readonly seconds: number;
  readonly lastLine: string;
  /** Reports of the guest, and the memory that they were about. */
  readonly conversions: number;
  readonly convertedBytes: number;
  /** As `sev-upm`. */
  readonly wrongViewAccesses: number;
  readonly lies: number;
  readonly firstLies: readonly NamedLie[];
  readonly divergence?: Divergence;
}

/** Why a run shows nothing; undefined where it shows something. Pure. */
export function whyUnknown(state: SubjectState, divergence: Divergence | undefined): string | undefined {
  if (divergence !== undefined)
    return isByChance(divergence)
      ? 'the guest reads memory that it has converted and not written since: what it shows is left to chance on both types'
      : undefined;
  const { end, encrypted, userSpace, conversions } = state;
  if (end?.kind === 'crashed') return `the guest crashed as both types: ${end.detail}`;
  if (!encrypted) return 'the kernel did not run as an SEV guest: it never set the C bit of its page tables';
  if (!userSpace) return 'the guest never reached user space';
  if (conversions === 0) return 'the guest never reported a conversion';
  return undefined;
}
