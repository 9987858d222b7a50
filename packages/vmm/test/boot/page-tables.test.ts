import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BootError, pageTables } from '../../src/boot/index.ts';
import { walk, wordsOf } from './walk.ts';

const LARGE = 2 ** 21;
const PLACE = { gpa: 0x9000, size: 0x40_0000 };

const refused = (run: () => unknown) =>
  assert.throws(run, (error: unknown) => error instanceof BootError && error.kind === 'bad-mapping');

describe('page tables', () => {
  test('a window leads where it says, in its view, and every table on the way is private', () => {
    const windows = fc.record({
      va: fc.integer({ min: 0, max: 2 ** 26 - 600 }).map((page) => page * LARGE),
      gpa: fc.integer({ min: 0, max: 2 ** 15 }).map((page) => page * LARGE),
      pages: fc.integer({ min: 1, max: 600 }),
      view: fc.constantFrom('private' as const, 'shared' as const),
    });
    const cBits = fc.option(fc.integer({ min: 37, max: 51 }), { nil: null });
    fc.assert(
      fc.property(windows, cBits, fc.double({ min: 0, max: 0.999_999, noNaN: true }), (window, cBit, where) => {
        const size = window.pages * LARGE;
        const tables = pageTables([{ ...window, size }], cBit, PLACE);
        const u64 = wordsOf([tables]);
        const offset = Math.floor(where * size);
        assert.deepEqual(walk(u64, tables.cr3, window.va + offset, cBit), {
          gpa: window.gpa + offset,
          cBit: cBit !== null && window.view === 'private',
          walkPrivate: true,
        });
        assert.equal(walk(u64, tables.cr3, window.va + size, cBit), undefined, 'nothing behind the window');
      }),
      { numRuns: 200 },
    );
  });

  test('two windows share the tables above them', () => {
    const windows = [
      { va: 0, gpa: 0, size: LARGE, view: 'private' as const },
      { va: LARGE, gpa: 0, size: LARGE, view: 'shared' as const },
    ];
    const tables = pageTables(windows, 47, PLACE);
    assert.equal(tables.bytes.length, 3 * 4096);
    const u64 = wordsOf([tables]);
    assert.deepEqual(walk(u64, tables.cr3, 0x1234, 47), { gpa: 0x1234, cBit: true, walkPrivate: true });
    assert.deepEqual(walk(u64, tables.cr3, LARGE + 0x1234, 47), { gpa: 0x1234, cBit: false, walkPrivate: true });
  });

  test('windows off 2 MiB, C bits that are no spare address bit, and too little room are refused', () => {
    const window = { va: 0, gpa: 0, size: LARGE, view: 'private' as const };
    refused(() => pageTables([{ ...window, gpa: 4096 }], null, PLACE));
    refused(() => pageTables([{ ...window, va: 4096 }], null, PLACE));
    refused(() => pageTables([{ ...window, size: 4096 }], null, PLACE));
    refused(() => pageTables([window], 12, PLACE));
    refused(() => pageTables([window], 52, PLACE));
    refused(() => pageTables([window], null, { gpa: 0x9000, size: 0x2000 }));
  });
});
