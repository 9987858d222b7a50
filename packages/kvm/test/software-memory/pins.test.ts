import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS } from '../../src/software/memory/index.ts';
import { errno, frameOf, MiB, makeGuest, makeHost, makeSevGuest, PAGE, residentSet } from './helpers/host.ts';

describe('a pin', () => {
  test('really gives every page its frame, and holds it', () => {
    const host = makeHost((48 * MiB) / PAGE);
    const memory = host.addresses.allocate(40 * MiB);
    const before = residentSet();
    const pin = host.pins.pin(memory.hva + 4 * MiB, 32 * MiB);
    memory.fill(4 * MiB, 32 * MiB, 1);
    assert.equal(pin.bytes, 32 * MiB);
    assert.equal(memory.residentBytes(), 32 * MiB);
    assert.equal(host.pins.pinnedBytes, 32 * MiB);
    assert.ok(residentSet() - before > 28 * MiB);
    memory.discard(0, memory.size);
    assert.equal(memory.residentBytes(), 0);
    assert.equal(host.memory.residentBytes(), 32 * MiB, 'what is pinned is not given back');
    pin.release();
    pin.release();
    assert.equal(host.pins.pinnedBytes, 0);
    assert.equal(host.memory.residentBytes(), 0);
  });

  test('over RLIMIT_MEMLOCK is refused with ENOMEM, which counts all pins of the process', () => {
    const host = makeHost(16, { memlockLimit: () => 4 * PAGE });
    const memory = host.addresses.allocate(8 * PAGE);
    const first = host.pins.pin(memory.hva, 3 * PAGE);
    assert.throws(() => host.pins.pin(memory.hva, 2 * PAGE), errno('ENOMEM'));
    const second = host.pins.pin(memory.hva, PAGE);
    first.release();
    host.pins.pin(memory.hva, 3 * PAGE);
    second.release();
  });

  test('that can’t be had whole is had not at all', () => {
    const host = makeHost(4);
    const memory = host.addresses.allocate(8 * PAGE);
    assert.throws(() => host.pins.pin(memory.hva, 8 * PAGE), errno('ENOMEM'));
    memory.discard(0, memory.size);
    assert.equal(host.memory.residentBytes(), 0);
    assert.throws(() => host.pins.pin(memory.hva + 7 * PAGE, 2 * PAGE), errno('EFAULT'));
    memory.protect(PAGE, PAGE, 'none');
    assert.throws(() => host.pins.pin(memory.hva, 2 * PAGE), errno('EFAULT'));
    assert.equal(host.pins.pinnedBytes, 0);
    memory.close();
    assert.equal(host.memory.figures().usedFrames, 0);
  });
});

/** An SEV guest of eight pages and its regions. */
function sev(limit = Number.POSITIVE_INFINITY) {
  const host = makeHost(32, { memlockLimit: () => limit });
  const { space, memory } = makeSevGuest(host, 8);
  return { host, space, memory, regions: host.createEncryptedRegions(space) };
}

describe('an encrypted region', () => {
  test('pins its pages until exactly it is unregistered', () => {
    const { host, memory, regions } = sev();
    regions.register(memory.hva, 4 * PAGE);
    assert.equal(memory.residentBytes(), 4 * PAGE);
    assert.equal(host.mover.compact(100).pinned, 4);
    for (const [hva, size] of [
      [memory.hva, 3 * PAGE],
      [memory.hva + PAGE, 4 * PAGE],
    ] as const)
      assert.throws(() => regions.unregister(hva, size), errno('EINVAL'));
    regions.unregister(memory.hva, 4 * PAGE);
    assert.throws(() => regions.unregister(memory.hva, 4 * PAGE), errno('EINVAL'));
    assert.equal(host.mover.compact(100).moved, 4);
  });

  test('may overlap another, counts twice, and need not be whole pages', () => {
    const { memory, regions } = sev();
    regions.register(memory.hva + 1, PAGE);
    assert.equal(regions.lockedBytes, 2 * PAGE);
    regions.register(memory.hva, 2 * PAGE);
    assert.equal(regions.lockedBytes, 4 * PAGE);
    assert.equal(memory.residentBytes(), 2 * PAGE);
    regions.close();
    assert.equal(regions.lockedBytes, 0);
  });

  test('is refused: nothing, a wrap, too much, over the limit, not mapped, no SEV VM', () => {
    const { host, memory, regions } = sev(4 * PAGE);
    assert.throws(() => regions.register(memory.hva, 0), errno('EINVAL'));
    assert.throws(() => regions.register(2n ** 64n - 1n, 2), errno('EINVAL'));
    assert.throws(() => regions.register(0, 2n ** 43n + 4096n), errno('EINVAL'));
    assert.throws(() => regions.register(memory.hva, 5 * PAGE), errno('ENOMEM'));
    assert.throws(() => sev().regions.register(2 ** 60, 2 ** 42), errno('ENOMEM'));
    assert.throws(() => regions.register(memory.hva + 7 * PAGE, 2 * PAGE), errno('ENOMEM'));
    assert.equal(regions.lockedBytes, 0);
    const { space } = makeGuest(host, 1);
    assert.throws(() => host.createEncryptedRegions(space).register(memory.hva, PAGE), errno('ENOTTY'));
  });

  test('of another VM has the whole limit again', () => {
    const { host, memory, regions } = sev(4 * PAGE);
    regions.register(memory.hva, 4 * PAGE);
    const other = makeSevGuest(host, 4, 2);
    host.createEncryptedRegions(other.space).register(other.memory.hva, 4 * PAGE);
  });
});

describe('a pin on fault', () => {
  test('takes what is there, and each page when guest or host first touches it', () => {
    const host = makeHost(16);
    const { space, memory } = makeGuest(host, 8);
    memory.write(0, Uint8Array.of(1));
    const pins = host.pinOnFault(memory.hva);
    assert.equal(pins.figures().pinnedBytes, PAGE);
    frameOf(space, 3, ACCESS.write);
    memory.write(5 * PAGE, Uint8Array.of(1));
    frameOf(space, 3);
    assert.deepEqual(pins.figures(), { pinnedBytes: 3 * PAGE, failures: 0, firstErrno: 0 });
    assert.equal(host.mover.compact(100).pinned, 3);
    pins.close();
    frameOf(space, 6);
    assert.deepEqual([host.mover.compact(100).moved, host.pins.pinnedBytes], [4, 0]);
  });

  test('counts what it could not pin, and lets the guest go on', () => {
    const host = makeHost(16, { memlockLimit: () => PAGE });
    const { space, memory } = makeGuest(host, 8);
    const pins = host.pinOnFault(memory.hva);
    for (const gfn of [0, 1, 2]) frameOf(space, gfn);
    assert.deepEqual(pins.figures(), { pinnedBytes: PAGE, failures: 2, firstErrno: 12 });
    assert.throws(() => host.pinOnFault(1), errno('EFAULT'));
  });
});
