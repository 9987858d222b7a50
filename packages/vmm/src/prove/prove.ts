import type { BootOrder } from '@unpin/contract';
import { Symbols } from '../symbols/symbols.ts';
import { findDivergence } from './find-divergence.ts';
import { follow } from './follow.ts';
import { lieOf } from './lie-of.ts';
import { nameSymbols, ripsOf } from './name-symbols.ts';
import { Pair } from './pair.ts';
import { type Proof, whyUnknown } from './proof.ts';

export interface ProveOptions {
  readonly boot: BootOrder;
  /** A multiple of 2 MiB; each of the two guests has so much. */
  readonly memoryBytes: number;
  /** 32 bits. Default 1. */
  readonly seed?: number;
  /** Ends the run once the console has shown this. */
  readonly until?: string;
  /** Ends the run after so many instructions. Default 20 thousand million. */
  readonly instructions?: number;
  /** Ends the run after so many seconds of the guest's own time. Default 60. */
  readonly guestSeconds?: number;
  /** Instructions between two comparisons. Default 100,000. */
  readonly window?: number;
  /** Told what is done: how far the guests are, or what is looked for. */
  readonly onProgress?: (progress: ProveProgress) => void;
}

export type ProveProgress =
  | { readonly kind: 'ran'; readonly instructions: number; readonly lastLine: string }
  | { readonly kind: 'search'; readonly what: string };

const DEFAULTS = { seed: 1, instructions: 20e9, guestSeconds: 60, window: 100_000 } as const;

/**
 * Runs an image as `sev` and as `sev-upm`, with nothing else between them, and compares what they do: registers, ports,
 * devices, console and reports, window by window. What is written and never read again is not seen.
 * @throws UnpinError what a launch may be refused for
 */
export async function proveImage(options: ProveOptions): Promise<Proof> {
  const begin = performance.now();
  const { boot, memoryBytes, until, onProgress } = options;
  const { seed, instructions, guestSeconds, window } = { ...DEFAULTS, ...options };
  const pair = new Pair({ boot, memoryBytes, seed, guestSeconds, ...(until === undefined ? {} : { until }) });
  const symbols = new Symbols(boot);
  try {
    const followed = await follow(pair, {
      window,
      instructions,
      onProgress: ({ retired, lastLine }) => onProgress?.({ kind: 'ran', instructions: retired, lastLine }),
    });
    const [sev, upm] = followed.states;
    const { differsFrom } = followed;
    const divergence =
      differsFrom === undefined
        ? undefined
        : await findDivergence({
            pair,
            from: differsFrom,
            window,
            onStep: (what) => onProgress?.({ kind: 'search', what }),
          });
    const why = whyUnknown(upm, divergence);
    await symbols.learn([
      ...(divergence === undefined ? [] : ripsOf(divergence)),
      ...upm.firstLies.map(({ rip }) => rip),
    ]);
    return {
      outcome: why !== undefined ? 'unknown' : divergence === undefined ? 'same' : 'diverged',
      ...(why === undefined ? {} : { why }),
      seed,
      memoryBytes,
      instructions: divergence?.at.after ?? sev.retired,
      window,
      windows: followed.windows,
      digest: upm.digest,
      ...(divergence !== undefined || upm.end === undefined ? {} : { end: upm.end }),
      userSpace: sev.userSpace && upm.userSpace,
      encrypted: upm.encrypted,
      guestSeconds: sev.guestSeconds,
      seconds: (performance.now() - begin) / 1000,
      lastLine: sev.lastLine,
      conversions: upm.conversions,
      convertedBytes: upm.convertedBytes,
      wrongViewAccesses: upm.wrongViewAccesses,
      lies: upm.lies,
      firstLies: upm.firstLies.map((lie) => lieOf(lie, symbols.nameOf)),
      ...(divergence === undefined ? {} : { divergence: nameSymbols(divergence, symbols.nameOf) }),
    };
  } finally {
    await pair.close();
  }
}
