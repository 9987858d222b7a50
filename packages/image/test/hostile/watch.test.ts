/** Who runs hostile images sees what must not happen: else all of them would pass. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MISBEHAVING } from './misbehaving.ts';
import { runHostile } from './run-hostile.ts';

const SEEN: Readonly<Record<string, RegExp>> = {
  crashes: /case 0: ended with 1\n[^]*TypeError: undefined is not an object/,
  hangs: /case 0: more than 5000 ms of CPU time/,
  leaves: /case 0: ended with 0/,
  eats: /case 0: \d+ MiB of memory/,
  escapes: /case 0: ended with 1\n[^]*ERR_ACCESS_DENIED/,
};

describe('a reader of images that', () => {
  for (const format of MISBEHAVING)
    test(`${format.name} is seen`, async () => {
      await assert.rejects(runHostile(format, { seed: 1, count: 2 }), SEEN[format.name] ?? /never/);
    });
});
