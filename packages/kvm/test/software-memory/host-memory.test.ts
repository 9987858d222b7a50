import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS, OutOfFramesError } from '../../src/software/memory/index.ts';
import {
  errno,
  guestRead,
  guestWrite,
  MiB,
  makeGuest,
  makeHost,
  makeSevGuest,
  PAGE,
  residentSet,
  text,
} from './helpers/host.ts';

describe('host memory', () => {
  test('reads as zeros without a frame, keeps what is written, and counts its frames', () => {
    const host = makeHost(8);
    const memory = host.addresses.allocate(6 * PAGE);
    assert.deepEqual([...memory.read(PAGE - 2, 4)], [0, 0, 0, 0]);
    assert.equal(memory.residentBytes(), 0);
    memory.write(2 * PAGE - 2, Uint8Array.of(1, 2, 3, 4));
    memory.fill(5 * PAGE, 3, 9);
    assert.deepEqual([...memory.read(2 * PAGE - 3, 6)], [0, 1, 2, 3, 4, 0]);
    assert.deepEqual([...memory.read(5 * PAGE, 4)], [9, 9, 9, 0]);
    assert.equal(memory.residentBytes(), 3 * PAGE);
    assert.equal(memory.residentBytes(0, 2 * PAGE), PAGE);
    assert.deepEqual([...memory.residency(0, memory.size)], [0, 1, 1, 0, 0, 1]);
  });

  test('gives out copies, and keeps none', () => {
    const memory = makeHost(1).addresses.allocate(PAGE);
    const mine = Uint8Array.of(1);
    memory.write(0, mine);
    mine[0] = 2;
    memory.read(0, 1)[0] = 3;
    assert.deepEqual([...memory.read(0, 1)], [1]);
  });

  test('may be larger than the host, as long as what is touched fits', () => {
    const host = makeHost(2);
    const memory = host.addresses.allocate(2 ** 40);
    memory.write(2 ** 40 - 1, Uint8Array.of(5));
    memory.write(0, Uint8Array.of(6));
    assert.deepEqual([...memory.read(2 ** 40 - 1, 1)], [5]);
    assert.equal(memory.residentBytes(), 2 * PAGE);
    assert.throws(() => memory.write(PAGE, Uint8Array.of(7)), errno('ENOMEM'));
    assert.throws(() => memory.populate(0, memory.size), errno('ENOMEM'));
    memory.discard(0, memory.size);
    assert.equal(memory.residentBytes(), 0);
    memory.write(PAGE, Uint8Array.of(7));
  });

  test('that is discarded reads as zeros and shrinks the process', () => {
    const host = makeHost((32 * MiB) / PAGE);
    const memory = host.addresses.allocate(32 * MiB);
    memory.fill(0, memory.size, 1);
    const before = residentSet();
    memory.discard(0, 24 * MiB);
    assert.ok(before - residentSet() > 18 * MiB);
    assert.equal(memory.residentBytes(), 8 * MiB);
    assert.equal(host.memory.residentBytes(), 8 * MiB);
    assert.deepEqual([...memory.read(24 * MiB - 1, 2)], [0, 1]);
    assert.equal(host.memory.figures().givenBackRuns, 1);
  });

  test('is populated page by page', () => {
    const memory = makeHost(8).addresses.allocate(8 * PAGE);
    memory.populate(2 * PAGE, 3 * PAGE);
    assert.equal(memory.residentBytes(), 3 * PAGE);
    assert.throws(() => memory.populate(1, PAGE), errno('EINVAL'));
    assert.throws(() => memory.discard(1, PAGE), errno('EINVAL'));
  });

  test('answers outside itself and after its end with RangeError', () => {
    const host = makeHost(8);
    const memory = host.addresses.allocate(2 * PAGE);
    assert.throws(() => memory.read(2 * PAGE - 1, 2), RangeError);
    assert.throws(() => memory.write(-1, Uint8Array.of(1)), RangeError);
    memory.write(0, Uint8Array.of(1));
    memory.close();
    memory.close();
    assert.throws(() => memory.read(0, 1), RangeError);
    assert.equal(host.memory.figures().usedFrames, 0);
    assert.throws(() => host.addresses.allocate(0), RangeError);
    assert.throws(() => host.addresses.allocate(2 ** 47), errno('ENOMEM'));
  });

  test('has addresses of its own, apart from all others, which are found again', () => {
    const host = makeHost(4);
    const all = Array.from({ length: 20 }, (_, at) => host.addresses.allocate((at + 1) * PAGE));
    for (const { hva, size } of all) {
      assert.equal(hva % PAGE, 0);
      assert.equal(host.addresses.find(hva)?.hva, hva);
      assert.equal(host.addresses.find(hva + size - 1)?.hva, hva);
      assert.equal(host.addresses.find(hva + size), undefined);
    }
    const third = all[2];
    assert.ok(third);
    third.write(0, text('third'));
    assert.deepEqual(host.addresses.open(third.handle).read(0, 5), text('third'));
    third.close();
    assert.equal(host.addresses.find(third.hva), undefined);
    assert.throws(() => host.addresses.open(third.handle), RangeError);
  });

  test('of a terabyte and more can be had many times: freed addresses are used again', () => {
    const host = makeHost(1);
    for (let round = 0; round < 20; round++) host.addresses.allocate(2 ** 45).close();
  });

  test('that may not be touched refuses host and guest, and keeps its bytes', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 4);
    memory.fill(0, memory.size, 4);
    const told: number[] = [];
    host.memory.onChange((address) => told.push(address));
    memory.protect(PAGE, PAGE, 'none');
    assert.equal(told.length, 1, 'the guest must ask again');
    assert.throws(() => memory.read(PAGE, 1), errno('EFAULT'));
    assert.throws(() => memory.populate(0, memory.size), errno('EINVAL'));
    assert.equal(space.resolve(1, 0).kind, 'efault');
    assert.equal(space.resolve(2, 0).kind, 'frame');
    memory.protect(0, memory.size, 'read-write');
    assert.deepEqual([...memory.read(PAGE, 1)], [4]);
    assert.equal(space.resolve(1, ACCESS.write).kind, 'frame');
  });

  test('of a guest shows the host ciphertext, and what the host writes is garbage to the guest', () => {
    const host = makeHost(8);
    const { space, memory } = makeSevGuest(host, 4);
    guestWrite(host, space, 1, text('Linux version 6.12'), ACCESS.encrypted);
    assert.equal(Buffer.from(memory.read(PAGE, PAGE)).includes('Linux'), false);
    assert.deepEqual(guestRead(host, space, 1, 18, ACCESS.encrypted), text('Linux version 6.12'));
    memory.write(PAGE, text('Windows'));
    assert.notDeepEqual(guestRead(host, space, 1, 7, ACCESS.encrypted), text('Windows'));
    assert.deepEqual(guestRead(host, space, 1, 7), text('Windows'));
  });
});

test('a memfd has a descriptor, which is closed with it', () => {
  const host = makeHost(2);
  const memory = host.addresses.allocateMemfd('ram', PAGE);
  assert.equal(memory.handle.kind, 'memfd');
  assert.ok(memory.handle.fd >= 0);
  assert.notEqual(host.descriptors.get(memory.handle.fd), undefined);
  memory.write(0, text('x'));
  memory.close();
  assert.equal(host.descriptors.get(memory.handle.fd), undefined);
  assert.equal(host.memory.figures().usedFrames, 0);
});

test('an error of frames is not one of the caller’s', () => {
  const host = makeHost(1);
  host.memory.allocate(1, 0);
  assert.throws(() => host.memory.allocate(1, 1), OutOfFramesError);
  const { space } = makeGuest(host, 1);
  assert.equal(space.resolve(0, 0).kind, 'enomem');
});
