/**
 * Images whose author wants them to do harm: changed by who knows where each format keeps its numbers. None crashes its
 * reader, keeps it busy, takes the machine's memory, or has a file opened that wasn't named.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FORMATS } from './hostile/formats.ts';
import { runHostile } from './hostile/run-hostile.ts';
import { needsDiskTools } from './tools.ts';

const COUNT = 1000;
const SEED = 4;

/** FORMAT:SEED:CASE, as a failure names it. */
const only = process.env['UNPIN_HOSTILE']?.split(':');

describe('a hostile image', needsDiskTools(), () => {
  for (const format of FORMATS)
    test(`of ${format.name} ends in a verdict or a typed error`, async (context) => {
      if (only !== undefined && only[0] !== format.name) return;
      const [, seed = SEED, from = 0] = only ?? [];
      const run = { seed: Number(seed), from: Number(from), count: only === undefined ? COUNT : 1 };
      const { peakBytes, outcomes } = await runHostile(format, run);
      // One that changes nothing, or leaves nothing to read, would find nothing.
      if (only === undefined) assert.ok(Object.keys(outcomes).length >= 2, JSON.stringify(outcomes));
      context.diagnostic(`${run.count} inputs, at most ${Math.round(peakBytes / 2 ** 20)} MiB`);
    });
});
