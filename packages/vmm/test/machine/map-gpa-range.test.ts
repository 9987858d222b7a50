import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GpaRange } from '@unpin/kvm';
import * as fc from 'fast-check';
import { checkMapRequest } from '../../src/machine/map-gpa-range.ts';

const RAM = 16 * 1024 * 1024;
const covers = (range: GpaRange) => range.gpa >= 0 && range.gpa + range.size <= RAM;

describe('a conversion request', () => {
  test('is done for whole pages of RAM, with every page-size hint', () => {
    for (const hint of [0, 1, 2])
      for (const [bit, to] of [
        [0, 'shared'],
        [0x10, 'private'],
      ] as const)
        assert.deepEqual(checkMapRequest(0x5000, 3, bit | hint, covers), {
          kind: 'convert',
          range: { gpa: 0x5000, size: 0x3000 },
          to,
        });
  });

  for (const [what, gpa, pages, attributes] of [
    ['an unaligned address', 0x5800, 1, 0],
    ['no pages', 0x5000, 0, 0],
    ['a page past RAM', RAM - 4096, 2, 0],
    ['an address outside RAM', RAM, 1, 0],
    ['a range that wraps', 0x5000, 2 ** 52 - 1, 0],
    ['an address beyond exact numbers', 2 ** 63, 1, 0],
    ['an unknown hint', 0x5000, 1, 3],
    ['reserved bit 5', 0x5000, 1, 0x20],
    ['reserved bit 63', 0x5000, 1, 2 ** 63],
  ] as const)
    test(`is refused with EINVAL for ${what}`, () => {
      const found = checkMapRequest(gpa, pages, attributes, covers);
      assert.equal(found.kind === 'refuse' ? found.ret : 0, -22);
    });

  test('never reaches past RAM, whatever the guest asks for', () => {
    // What a register of 64 bits can hold, as a number: whole, and rounded above 2^53.
    const register = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(Number);
    const word = fc.oneof(
      fc.integer({ min: 0, max: 20_000 }),
      fc.nat(RAM / 4096 + 1).map((page) => page * 4096),
      register,
    );
    fc.assert(
      fc.property(word, word, word, (gpa, pages, attributes) => {
        const found = checkMapRequest(gpa, pages, attributes, covers);
        if (found.kind === 'convert') {
          assert.ok(covers(found.range) && found.range.size > 0);
          assert.equal(found.range.gpa % 4096 || found.range.size % 4096, 0);
        }
      }),
    );
  });
});
