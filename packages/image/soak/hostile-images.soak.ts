/**
 * Hostile images, a thousand times the soak's factor of each format: `--factor 1000` is a million. Each format's cases
 * follow from the soak's seed.
 */
import { describe, test } from 'node:test';
import { FORMATS } from '../test/hostile/formats.ts';
import { runHostile } from '../test/hostile/run-hostile.ts';
import { needsDiskTools } from '../test/tools.ts';

const CASES = 1000 * Number(process.env['UNPIN_SOAK_FACTOR'] ?? '20');
const SEED = Number(process.env['UNPIN_SOAK_SEED'] ?? '1');
/** A process that runs for days is no inspection: each batch has its own. */
const BATCH = 10_000;

describe('hostile images', needsDiskTools(), () => {
  for (const format of FORMATS)
    test(`${CASES} of ${format.name}`, async (context) => {
      let peak = 0;
      for (let from = 0; from < CASES; from += BATCH) {
        const count = Math.min(BATCH, CASES - from);
        const { peakBytes } = await runHostile(format, { seed: SEED, from, count });
        peak = Math.max(peak, peakBytes);
      }
      context.diagnostic(`at most ${Math.round(peak / 2 ** 20)} MiB`);
    });
});
