import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { bytes, struct, tail, u8, u16, u32, u64 } from '../src/uapi/struct.ts';

const LAYOUT = struct('sample', 32, { a: u8(0), b: u16(2), c: u32(4), d: u64(8), e: bytes(16, 16), f: tail(32) });

describe('a struct in memory', () => {
  test('keeps every exact value of every width, and touches nothing else', () => {
    fc.assert(
      fc.property(fc.nat(0xff), fc.nat(0xffff), fc.nat(0xffff_ffff), fc.nat(Number.MAX_SAFE_INTEGER), (a, b, c, d) => {
        const s = LAYOUT.make().set('a', a).set('b', b).set('c', c).set('d', d);
        assert.deepEqual([s.get('a'), s.get('b'), s.get('c'), s.get('d')], [a, b, c, d]);
        assert.deepEqual(
          [...s.part('e')],
          Array.from({ length: 16 }, () => 0),
        );
        assert.equal(s.bytes[1], 0);
      }),
    );
  });

  test('keeps any 64-bit value as a bigint, and both ways agree below 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const s = LAYOUT.make().set('d', value);
        assert.equal(s.getBig('d'), value);
        if (value <= BigInt(Number.MAX_SAFE_INTEGER)) assert.equal(s.get('d'), Number(value));
      }),
    );
  });

  test('has room for its flexible array', () => {
    const s = LAYOUT.make(8);
    s.part('f').set([1, 2, 3]);
    assert.equal(s.bytes.length, 40);
    assert.deepEqual([...s.bytes.subarray(32, 35)], [1, 2, 3]);
  });
});
