import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bootAndSearch, missingFor } from '../test/helpers/boot-and-search.ts';

const KERNELS = ['kernel-6.12-cloud', 'kernel-5.10-cloud'] as const;
/** One instruction a tick: from a timer interrupt every 120,000 instructions to one every 3,800,000. */
const MHZ = [30, 47, 73, 120, 190, 310, 490, 950] as const;
const missing = missingFor(...KERNELS);

/** Where interrupts fall depends on the frequency and on nothing else: a boot that hangs does so again. */
describe('a guest whose time goes by its instructions boots at any frequency', { skip: missing }, () => {
  for (const kernel of KERNELS)
    for (const mhz of MHZ)
      test(`${kernel} at ${mhz} MHz`, async () => {
        const clock = { seed: mhz, tscKhz: mhz * 1000 };
        const { console } = await bootAndSearch({ kernel, type: 'sev', text: 'Linux version', clock });
        assert.ok(console.includes('/root # '), console.slice(-1500));
      });
});
