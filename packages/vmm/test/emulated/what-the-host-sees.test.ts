import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bootAndSearch, missingFor } from '../helpers/boot-and-search.ts';

const KERNEL = 'kernel-6.12-cloud';
const BANNER = 'Linux version 6.12';
const missing = missingFor(KERNEL);

/** What the host may move of each type's guest: a page that is pinned, or in a guest_memfd, never. */
const MOVABLE = { standard: 'all', sev: 'nothing', 'sev-upm': 'what is shared' } as const;

describe('a Debian guest that boots while the host moves its pages', { skip: missing }, () => {
  for (const type of ['standard', 'sev', 'sev-upm'] as const)
    test(`as ${type}: ${MOVABLE[type]} is moved, and the banner is in what the host can read only where nothing is encrypted`, async () => {
      const { hits, pages, moves, console, ending } = await bootAndSearch({ kernel: KERNEL, type, text: BANNER });
      assert.ok(console.includes('/root # '), `the guest came to grief:\n${console.slice(-1500)}`);
      assert.equal(ending.reason, 'requested');
      switch (type) {
        case 'standard':
          assert.ok(hits.length >= 2, 'in the kernel’s image and in its log');
          assert.ok(pages > 4096, `${pages} pages with anything in them`);
          assert.ok(moves.moved > 1000 && moves.pinned === 0, JSON.stringify(moves));
          return;
        case 'sev':
          assert.deepEqual(hits, []);
          assert.ok(pages > 4096, `${pages} pages with anything in them`);
          assert.ok(moves.pinned > 1000 && moves.moved === 0, JSON.stringify(moves));
          return;
        case 'sev-upm':
          assert.deepEqual(hits, []);
          assert.ok(pages >= 1, 'nothing was shared');
          assert.ok(moves.guest_memfd > 1000 && moves.pinned === 0, JSON.stringify(moves));
      }
    });
});
