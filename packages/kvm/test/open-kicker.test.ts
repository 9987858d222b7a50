import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openKicker, type SoftwareKickTarget } from '../src/index.ts';
import { KICKED } from '../src/software/kick.ts';

const LIMIT_MS = 20_000;

function softwareTarget(index: number): SoftwareKickTarget {
  return { backend: 'software', words: new Int32Array(new SharedArrayBuffer(16)), index };
}

describe('a kicker of a software vCPU', () => {
  test('sets one bit of one word, however often, and keeps the others', async () => {
    const target = softwareTarget(2);
    target.words[2] = 0x10;
    const kicker = await openKicker(target);
    kicker.kick();
    kicker.kick();
    assert.deepEqual([...target.words], [0, 0, 0x10 | KICKED, 0]);
  });

  test('wakes who waits on the word, by a copy of the target such as a message brings', async () => {
    const target = softwareTarget(1);
    const waiting = Atomics.waitAsync(target.words, target.index, 0, LIMIT_MS);
    assert.ok(waiting.async);
    (await openKicker(structuredClone(target))).kick();
    assert.equal(await waiting.value, 'ok');
    assert.equal(target.words[1], KICKED);
  });

  test('is refused for a word that is not there', async () => {
    await assert.rejects(openKicker(softwareTarget(4)), RangeError);
  });
});

test('a target goes to the backend that it names', async () => {
  const kicker = await openKicker({ backend: 'linux', tid: process.pid, runAddress: 0 });
  assert.equal(kicker.constructor.name, 'LinuxKicker');
});
