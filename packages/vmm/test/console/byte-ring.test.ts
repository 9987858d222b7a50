import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { ByteRing } from '../../src/console/byte-ring.ts';

describe('a byte ring', () => {
  test('gives back what was put in, in order, whatever the sizes', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
        fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 40 }) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const ring = ByteRing.create(16);
        const put: number[] = [];
        const got: number[] = [];
        for (const step of script)
          if (step.kind === 'write') put.push(...step.bytes.subarray(0, ring.write(step.bytes)));
          else got.push(...ring.read(step.limit));
        got.push(...ring.read());
        assert.deepEqual(got, put);
      }),
    );
  });

  test('takes no more than fits and says how much that was', () => {
    const ring = ByteRing.create(8);
    assert.equal(ring.write(new Uint8Array(10).fill(1)), 8);
    assert.equal(ring.writeByte(2), false);
    assert.equal(ring.read(3).length, 3);
    assert.equal(ring.writeByte(2), true);
    assert.equal(ring.pending, 6);
  });

  test('refuses memory that is no ring', () => {
    assert.throws(() => new ByteRing(new SharedArrayBuffer(16 + 12)), RangeError);
  });

  test('wakes a sleeping reader, and lets a blocked writer of another thread go on', async () => {
    const ring = ByteRing.create(4);
    const source = `
      const { workerData } = require('node:worker_threads');
      import(workerData.url).then(({ ByteRing }) => {
        const ring = new ByteRing(workerData.buffer);
        for (let value = 0; value < 100; value++) while (!ring.writeByte(value)) ring.waitForRoom(5000);
      });`;
    const url = new URL('../../src/console/byte-ring.ts', import.meta.url).href;
    const worker = new Worker(source, { eval: true, workerData: { url, buffer: ring.buffer } });
    const got: number[] = [];
    while (got.length < 100) {
      await ring.readable(10_000);
      got.push(...ring.read());
    }
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, index) => index),
    );
    await worker.terminate();
  });
});
