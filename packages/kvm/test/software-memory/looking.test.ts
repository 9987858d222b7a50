import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS } from '../../src/software/memory/index.ts';
import { guestRead, guestWrite, makeHost, makeSevGuest, makeTwoSides, PAGE, PRIVATE, text } from './helpers/host.ts';

const SECRET = text('a secret');
const { encrypted } = ACCESS;
const start = (bytes: Uint8Array | null) => bytes?.slice(0, SECRET.length);

describe('a guest page that is looked at from outside', () => {
  test('shows both of its views, and stays as it is', () => {
    const host = makeHost(8);
    const { space } = makeSevGuest(host, 4);
    guestWrite(host, space, 1, SECRET, encrypted);
    const { changes } = host.views;
    assert.deepEqual(start(space.peek(1, 'private', 'private')), SECRET);
    const ciphertext = start(space.peek(1, 'private', 'shared'));
    assert.notDeepEqual(ciphertext, SECRET);
    assert.deepEqual([host.views.changes, space.viewInUse(1, 'private')], [changes, 'private']);
    assert.deepEqual(guestRead(host, space, 1, SECRET.length), ciphertext);
    assert.equal(space.viewInUse(1, 'private'), 'shared');
    assert.deepEqual(start(space.peek(1, 'shared', 'private')), SECRET, 'one side serves both views');
  });

  test('has two sides where it has a guest_memfd, and none where nothing was touched', () => {
    const host = makeHost(8);
    const { space, memory } = makeTwoSides(host, 4, { tech: 'sev' });
    space.setMemoryAttributes(PAGE, PAGE, PRIVATE);
    guestWrite(host, space, 1, SECRET, encrypted);
    memory.write(PAGE, text('shared'));
    assert.deepEqual(start(space.peek(1, 'private', 'private')), SECRET);
    assert.deepEqual(space.peek(1, 'shared', 'shared')?.slice(0, 6), text('shared'));
    assert.equal(space.peek(2, 'private', 'private'), null);
    assert.equal(space.viewInUse(2, 'shared'), null);
    assert.equal(space.peek(9, 'shared', 'shared'), null, 'no slot');
  });
});

describe('a page that shows zeros at its first use through a view', () => {
  test('does so once, whatever the other view held', () => {
    const host = makeHost(8);
    const { space } = makeSevGuest(host, 4);
    guestWrite(host, space, 1, SECRET, encrypted);
    space.clearAtFirstUse(1, 'shared');
    assert.deepEqual(guestRead(host, space, 1, SECRET.length, encrypted), SECRET, 'not through the view in use');
    assert.deepEqual(guestRead(host, space, 1, SECRET.length), new Uint8Array(SECRET.length));
    guestWrite(host, space, 1, SECRET);
    guestRead(host, space, 1, 1, encrypted);
    assert.deepEqual(guestRead(host, space, 1, SECRET.length), SECRET, 'once');
  });
});

describe('a host that fills its guest_memfds at once', () => {
  test('gives them the frames that pinned memory would have', () => {
    const frames = [true, false].map((guestMemfdsAtOnce) => {
      const host = makeHost(8, { guestMemfdsAtOnce });
      const { space, file } = makeTwoSides(host, 4, { tech: 'sev' });
      space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
      guestWrite(host, space, 3, SECRET, encrypted);
      return [file.allocatedBytes(), file.backing.frameAt(3) - host.memory.firstFrame];
    });
    assert.deepEqual(frames, [
      [4 * PAGE, 3 * PAGE],
      [PAGE, 0],
    ]);
  });
});
