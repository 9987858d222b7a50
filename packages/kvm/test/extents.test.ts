import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Extents, pagesOf } from '../src/guest-memory/extents.ts';

type Value = 'private' | 'shared' | null;
const VALUES: readonly Value[] = ['private', 'shared', null];

describe('extents', () => {
  test('behave as one value a page, whatever ranges are set', () => {
    const range = fc.tuple(fc.nat(40), fc.nat(40), fc.constantFrom(...VALUES));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (sets) => {
        const extents = new Extents<Value>('shared');
        const model: Value[] = Array.from({ length: 80 }, () => 'shared');
        for (const [start, length, value] of sets) {
          const end = start + length;
          const changed = extents.set(start, end, value);
          const expected = model.slice(start, end).filter((old) => old !== value).length;
          assert.equal(pagesOf(changed), expected);
          for (const run of changed)
            for (let page = run.start; page < run.end; page++) assert.equal(model[page], run.value);
          model.fill(value, start, end);
          assert.deepEqual(
            model.map((_, page) => extents.at(page)),
            model,
          );
        }
        const runs = extents.runs(0, 80);
        for (const [index, run] of runs.entries())
          assert.notEqual(run.value, runs[index + 1]?.value, 'runs are maximal');
      }),
    );
  });

  test('a repeated range changes nothing and costs no run', () => {
    const extents = new Extents<Value>('shared');
    extents.set(0, 2 ** 28, 'private');
    assert.equal(extents.size, 2);
    assert.deepEqual(extents.set(17, 2 ** 27, 'private'), []);
    assert.equal(extents.size, 2);
  });
});
