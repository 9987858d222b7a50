import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal } from '../../src/process/journal.ts';

test('a journal counts everything and keeps the latest', () => {
  const journal = new Journal<{ seq: number }>(10);
  for (let index = 0; index < 1000; index++) journal.append((seq) => ({ seq }));
  assert.equal(journal.total, 1000);
  assert.deepEqual(
    journal.since(0).map((entry) => entry.seq),
    Array.from({ length: 10 }, (_, index) => 990 + index),
  );
  assert.deepEqual(
    journal.since(997).map((entry) => entry.seq),
    [997, 998, 999],
  );
  assert.deepEqual(journal.since(1000), []);
});
