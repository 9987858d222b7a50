import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BootError, E820_TYPE, e820Table, ramRanges } from '../../src/boot/index.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const sizes = fc.integer({ min: 257, max: 2 ** 30 }).map((pages) => pages * 4096);

describe('guest RAM', () => {
  test('adds up to the nominal size and stays out of the hole from 3 to 4 GiB', () => {
    fc.assert(
      fc.property(sizes, (bytes) => {
        const ranges = ramRanges(bytes);
        assert.equal(
          ranges.reduce((sum, range) => sum + range.size, 0),
          bytes,
        );
        for (const { gpa, size } of ranges) assert.ok(gpa + size <= 3 * GIB || gpa >= 4 * GIB);
      }),
    );
  });

  test('is one range up to 3 GiB and two above', () => {
    assert.deepEqual(ramRanges(3 * GIB), [{ gpa: 0, size: 3 * GIB }]);
    assert.deepEqual(ramRanges(3 * GIB + 4096), [
      { gpa: 0, size: 3 * GIB },
      { gpa: 4 * GIB, size: 4096 },
    ]);
  });

  for (const bytes of [0, -4096, 4097, MIB, 1.5, Number.NaN, 2 ** 60])
    test(`of ${bytes} bytes is refused`, () =>
      assert.throws(
        () => ramRanges(bytes),
        (error: unknown) => error instanceof BootError && error.kind === 'memory-size',
      ));
});

describe('the E820 map', () => {
  test('is sorted, without overlaps, and offers RAM only where there is some', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), (bytes, withAcpi) => {
        const ram = ramRanges(bytes);
        const table = e820Table(ram, withAcpi ? { gpa: 0xe_0000, size: 0x1_0000 } : null);
        let end = 0;
        for (const entry of table) {
          assert.ok(entry.gpa >= end, 'sorted, no overlap');
          assert.ok(entry.size > 0);
          end = entry.gpa + entry.size;
          if (entry.type === E820_TYPE.ram)
            assert.ok(ram.some((range) => entry.gpa >= range.gpa && end <= range.gpa + range.size));
        }
        const usable = table.reduce((sum, entry) => sum + (entry.type === E820_TYPE.ram ? entry.size : 0), 0);
        assert.equal(usable, bytes - MIB + 0x9_fc00);
        assert.equal(table.filter((entry) => entry.type === E820_TYPE.acpi).length, withAcpi ? 1 : 0);
      }),
    );
  });
});
