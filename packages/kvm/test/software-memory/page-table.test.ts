import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PageTable } from '../../src/software/memory/page-table.ts';

/** Neighbours, other chunks, and the last page of the largest file. */
const page = fc.oneof(fc.nat(40), fc.integer({ min: 1000, max: 3000 }), fc.constantFrom(2 ** 31, 2 ** 40, 2 ** 51 - 2));
const frame = fc.integer({ min: 1, max: 2 ** 20 - 1 });

test('a page table behaves as a map, however far apart its pages are', () => {
  const step = fc.tuple(fc.constantFrom('set', 'delete'), page, frame);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), page, fc.nat(3000), (steps, start, length) => {
      const table = new PageTable();
      const model = new Map<number, number>();
      for (const [kind, at, number] of steps)
        if (kind === 'set') {
          table.set(at, number * 4096);
          model.set(at, number * 4096);
        } else {
          table.delete(at);
          model.delete(at);
        }
      assert.equal(table.count, model.size);
      for (const [, at] of steps) assert.equal(table.get(at), model.get(at) ?? 0);
      for (const [from, to] of [
        [0, Number.POSITIVE_INFINITY],
        [start, start + length],
      ] as const) {
        const found: [number, number][] = [];
        table.forEach(from, to, (at, address) => found.push([at, address]));
        const expected = [...model].filter(([at]) => at >= from && at < to).sort(([a], [b]) => a - b);
        assert.deepEqual(found, expected);
        assert.equal(table.countIn(from, to), expected.length);
      }
    }),
  );
});
