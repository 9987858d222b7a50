import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS } from '../../src/software/memory/index.ts';
import {
  frameOf,
  guestRead,
  guestWrite,
  makeGuest,
  makeHost,
  makeSevGuest,
  makeTwoSides,
  PAGE,
  PRIVATE,
  text,
} from './helpers/host.ts';

const SECRET = text('a secret of the guest');

/** The frames in use after ten of 32 pages were moved by given random numbers. */
function compacted() {
  const host = makeHost(64);
  const { memory } = makeGuest(host, 32);
  memory.fill(0, memory.size, 1);
  let seed = 7;
  const outcome = host.mover.compact(10, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  });
  assert.equal(outcome.moved, 10);
  return [...host.memory.ownedFrames()];
}

describe('a host that moves pages', () => {
  test('turns an unpinned encrypted page into garbage', () => {
    const host = makeHost(8);
    const { space, memory } = makeSevGuest(host, 2);
    guestWrite(host, space, 0, SECRET, ACCESS.encrypted);
    const before = frameOf(space, 0, ACCESS.encrypted);
    const told: number[] = [];
    host.memory.onChange((address) => told.push(address));
    assert.equal(host.mover.move(before), 'moved');
    const toldByMove = new Set(told);
    assert.equal(Buffer.from(memory.read(0, PAGE)).includes('secret'), false, 'no plaintext for the host');
    const after = frameOf(space, 0, ACCESS.encrypted);
    assert.notEqual(after, before);
    assert.deepEqual(toldByMove, new Set([before, after]), 'the guest must ask again');
    assert.equal(Buffer.from(host.memory.bytes(after)).includes('secret'), false);
  });

  test('loses nothing of a page that is not encrypted', () => {
    const host = makeHost(8);
    const { space, memory } = makeSevGuest(host, 2);
    guestWrite(host, space, 0, SECRET);
    const plain = makeGuest(host, 2);
    guestWrite(host, plain.space, 1, SECRET);
    assert.equal(host.mover.compact(100).moved, 2);
    assert.deepEqual(guestRead(host, space, 0, SECRET.length), SECRET);
    assert.deepEqual(memory.read(0, SECRET.length), SECRET);
    assert.deepEqual(guestRead(host, plain.space, 1, SECRET.length), SECRET);
  });

  test('can move neither what is pinned nor what is in a guest_memfd, and says how many', () => {
    const host = makeHost(32);
    const { space, memory } = makeSevGuest(host, 4);
    guestWrite(host, space, 0, SECRET, ACCESS.encrypted);
    host.createEncryptedRegions(space).register(memory.hva, 3 * PAGE);
    const upm = makeTwoSides(host, 4, { tech: 'sev' });
    upm.space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
    guestWrite(host, upm.space, 0, SECRET, ACCESS.encrypted);
    guestWrite(host, space, 3, SECRET, ACCESS.encrypted);
    const outcome = host.mover.compact(100);
    assert.deepEqual(outcome, { moved: 1, pinned: 3, guest_memfd: 1, unowned: 0, 'out-of-frames': 0 });
    assert.deepEqual(guestRead(host, space, 0, SECRET.length, ACCESS.encrypted), SECRET);
    assert.deepEqual(guestRead(host, upm.space, 0, SECRET.length, ACCESS.encrypted), SECRET);
    assert.notDeepEqual(guestRead(host, space, 3, SECRET.length, ACCESS.encrypted), SECRET);
    assert.equal(host.mover.move(memory.hva % 4096), 'unowned');
  });

  test('chooses the same pages by the same random numbers', () => {
    assert.deepEqual(compacted(), compacted());
  });

  test('needs a free frame', () => {
    const host = makeHost(2);
    const { memory } = makeGuest(host, 2);
    memory.fill(0, memory.size, 3);
    assert.equal(host.mover.compact(2)['out-of-frames'], 2);
    assert.deepEqual([...memory.read(0, 1)], [3]);
  });

  test('gives the old frame back to the operating system', () => {
    const host = makeHost(8);
    const { memory } = makeGuest(host, 4);
    memory.fill(0, memory.size, 3);
    host.mover.compact(4);
    assert.equal(host.memory.residentBytes(), 4 * PAGE);
  });
});
