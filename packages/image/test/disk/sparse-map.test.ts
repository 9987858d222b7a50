import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { readPaxSparseMap, sparseSource } from '../../src/disk/tar/sparse-map.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { assertFails, plenty } from './workshop.ts';

const content = memorySource('stored', Buffer.from('abcdefgh'));
const sparse = (realSize: number, pairs: readonly number[]): ReturnType<typeof sparseSource> =>
  sparseSource('s', content, { realSize, pairs, dataStart: 0 });

/** Such a map, padded as an archive pads it. */
function read(text: string): Promise<unknown> {
  const padded = Buffer.alloc(1024);
  padded.write(text);
  return readPaxSparseMap(memorySource('m', padded), 20, plenty());
}

describe('a map of a sparse file', () => {
  test('puts pieces where they were, and zeroes between', async () => {
    // As [hole, piece] lengths.
    const pieces = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(5), async (pieces, end) => {
        const pairs: number[] = [];
        const stored: Buffer[] = [];
        const whole: Buffer[] = [];
        let at = 0;
        for (const [index, [hole, length]] of pieces.entries()) {
          const piece = Buffer.alloc(length, index + 1);
          pairs.push(at + hole, length);
          stored.push(piece);
          whole.push(Buffer.alloc(hole), piece);
          at += hole + length;
        }
        const wanted = Buffer.concat([...whole, Buffer.alloc(end)]);
        const map = { realSize: wanted.length, pairs, dataStart: 0 };
        const source = sparseSource('s', memorySource('stored', Buffer.concat(stored)), map);
        for (let from = 0; from <= wanted.length; from++)
          for (let to = from; to <= wanted.length; to++)
            assert.ok(wanted.subarray(from, to).equals(await source.read(from, to - from)), `${from} to ${to}`);
      }),
      { numRuns: 60 },
    );
  });

  test('whose pieces overlap, are out of order, or are more than there is, is refused', async () => {
    const refused: readonly (readonly [number, readonly number[]])[] = [
      [20, [0, 4, 3, 4]],
      [20, [10, 4, 0, 4]],
      [20, [18, 4]],
      [20, [0, 9]],
      [20, [0, 4, 10]],
      [20, [0, 4, 10, 5]],
    ];
    for (const [size, pairs] of refused)
      await assertFails((async () => sparse(size, pairs))(), 'malformed', /sparse map/);
    assert.equal(sparse(20, [0, 4, 4, 4, 20, 0]).size, 20);
  });

  test('in decimal lines that is no such thing is refused', async () => {
    await assertFails(read('1\n0\nx\n'), 'malformed');
    await assertFails(read('11111111111111111\n'), 'malformed');
    await assertFails(read('-1\n'), 'malformed');
    await assertFails(read('2000000\n'), 'over-budget', /pieces/);
    await assertFails(
      readPaxSparseMap(memorySource('m', Buffer.alloc(512, '1\n')), 20, new Budget(0, 2)),
      'over-budget',
    );
    const endless = Buffer.alloc(512, '99999\n');
    await assertFails(readPaxSparseMap(memorySource('m', endless), 20, plenty()), 'truncated');
  });
});
