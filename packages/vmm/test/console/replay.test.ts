import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Replay } from '../../src/console/replay.ts';

describe('console replay', () => {
  test('keeps the latest bytes up to its limit and counts the others', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 40 }), (chunks) => {
        const replay = new Replay(64);
        for (const chunk of chunks) replay.append(chunk);
        const all = Buffer.concat(chunks);
        assert.deepEqual(Buffer.from(replay.all()), all.subarray(Math.max(0, all.length - 64)));
        assert.equal(replay.dropped, Math.max(0, all.length - 64));
      }),
    );
  });

  test('holds single characters without an array for each', () => {
    const replay = new Replay(1 << 20);
    for (let index = 0; index < 5000; index++) replay.append(Uint8Array.of(index & 0xff));
    assert.equal(replay.all().length, 5000);
  });

  test('shows the last lines that say something', () => {
    const replay = new Replay(1000);
    replay.append(Buffer.from('one\r\n\r\ntwo\nthree'));
    assert.deepEqual(replay.lastLines(2), ['two', 'three']);
  });
});
