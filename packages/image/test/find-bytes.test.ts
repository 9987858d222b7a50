import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { findBytes } from '../src/signals/find-bytes.ts';

/** Few values, common and rare ones, so that patterns really occur. */
const byte = fc.constantFrom(0x00, 0x48, 0xff, 0x9e, 0xd1);

describe('a pattern of bytes', () => {
  test('is found wherever it occurs, overlaps included', () => {
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 300 }),
        fc.array(byte, { minLength: 1, maxLength: 12 }),
        (values, pattern) => {
          const bytes = Uint8Array.from(values);
          const wanted = values.flatMap((_, at) => (pattern.every((value, i) => bytes[at + i] === value) ? [at] : []));
          assert.deepEqual(findBytes(bytes, Uint8Array.from(pattern), 1000), wanted);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('that is nothing occurs nowhere', () => {
    assert.deepEqual(findBytes(Uint8Array.of(1, 2), new Uint8Array(0), 10), []);
  });

  test('is found so often and not more', () => {
    assert.deepEqual(findBytes(new Uint8Array(100), Uint8Array.of(0, 0), 3), [0, 1, 2]);
  });

  test('in a part of a buffer is found in that part', () => {
    const whole = Buffer.from('a needle, a needle, a needle');
    assert.deepEqual(findBytes(whole.subarray(5, 20), Buffer.from('needle'), 10), [7]);
  });
});
