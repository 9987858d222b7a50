import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ACCESS,
  restoreGuestAddressSpace,
  restoreHost,
  SnapshotError,
  SoftwareGuestMemfd,
  saveGuestAddressSpace,
  saveHost,
} from '../../src/software/memory/index.ts';
import {
  errno,
  frameOf,
  GMEM,
  guestRead,
  guestWrite,
  MEM,
  makeGuest,
  makeHost,
  makeTwoSides,
  PAGE,
  PRIVATE,
  text,
} from './helpers/host.ts';

const SECRET = text('a secret of the guest');
const { encrypted, write } = ACCESS;

/** A host with an SEV guest of two sides, a plain one with a log, a memfd, and an in-place file. */
function busyHost() {
  const host = makeHost(64, { keys: () => Uint8Array.from({ length: 32 }, () => Math.floor(Math.random() * 256)) });
  host.addresses.allocate(PAGE).write(0, text('hole'));
  const upm = makeTwoSides(host, 8, { tech: 'sev' });
  upm.space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
  guestWrite(host, upm.space, 1, SECRET, encrypted);
  guestWrite(host, upm.space, 5, text('shared'));
  const plain = makeGuest(host, 4);
  const logged = host.addresses.allocateMemfd('ram', 4 * PAGE);
  const region = { slot: 1, flags: MEM.LOG, gpa: 2 ** 20, size: logged.size, hva: logged.hva };
  plain.space.setUserMemoryRegion(region);
  frameOf(plain.space, 257, write);
  logged.protect(0, PAGE, 'none');
  const inPlace = makeTwoSides(host, 4, { tech: 'sw-protected', conversion: 'in-place' }, GMEM.MMAP);
  inPlace.space.setMemoryAttributes(0, PAGE, 0);
  const map = host.addresses.mapGuestMemfd(inPlace.file.fd, inPlace.file.size);
  map.write(0, text('mapped'));
  inPlace.space.createGuestMemfd(PAGE).close();
  return { host, upm, plain, logged, inPlace, map };
}

describe('saved memory', () => {
  test('comes back in another host with its frames, keys, files, addresses and logs', () => {
    const busy = busyHost();
    const where = frameOf(busy.upm.space, 1, encrypted);
    const state = structuredClone(saveHost(busy.host));
    const spaces = [busy.upm, busy.plain, busy.inPlace].map(({ space }) =>
      structuredClone(saveGuestAddressSpace(space)),
    );

    const host = makeHost(64);
    restoreHost(host, state);
    const [upm, plain, inPlace] = spaces.map((space) => restoreGuestAddressSpace(host, space));
    assert.ok(upm && plain && inPlace);

    assert.equal(frameOf(upm, 1, encrypted), where, 'the system-physical address');
    assert.deepEqual(guestRead(host, upm, 1, SECRET.length, encrypted), SECRET);
    assert.equal(Buffer.from(guestRead(host, upm, 1, PAGE)).includes('secret'), false);
    assert.deepEqual(guestRead(host, upm, 1, SECRET.length, encrypted), SECRET, 'with the saved key');
    assert.deepEqual(guestRead(host, upm, 5, 6), text('shared'));
    assert.equal(upm.attributeOf(3), 'private');
    assert.equal(upm.attributeOf(4), 'shared');
    const memory = host.addresses.adopt(busy.upm.memory.handle);
    assert.deepEqual(memory.read(5 * PAGE, 6), text('shared'));
    const file = host.descriptors.get(busy.upm.file.fd);
    assert.ok(file instanceof SoftwareGuestMemfd);
    assert.equal(file.allocatedBytes(), PAGE);

    assert.deepEqual([...plain.takeDirtyLog(1, 4)], [2, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(plain.resolve(256, 0).kind, 'efault');
    assert.equal(inPlace.attributeOf(0), 'shared');
    assert.equal(inPlace.attributeOf(1), 'private');
    const map = host.addresses.adopt(busy.map.handle);
    assert.deepEqual(map.read(0, 6), text('mapped'));
    assert.throws(() => map.read(PAGE, 1), errno('EFAULT'));
    assert.equal(host.memory.figures().usedFrames, busy.host.memory.figures().usedFrames);
    const mapped = host.descriptors.get(busy.inPlace.file.fd);
    assert.ok(mapped instanceof SoftwareGuestMemfd);
    mapped.close();
    assert.deepEqual(map.read(0, 6), text('mapped'), 'the mapping holds the closed file');
  });

  test('goes on as the first host would: no address, descriptor or VM id is given out twice', () => {
    const busy = busyHost();
    const host = makeHost(64);
    restoreHost(host, saveHost(busy.host));
    const space = restoreGuestAddressSpace(host, saveGuestAddressSpace(busy.inPlace.space));
    assert.equal(host.addresses.allocate(PAGE).hva, busy.host.addresses.allocate(PAGE).hva);
    assert.ok(host.createGuestAddressSpace(space.options).vm > space.vm);
    assert.equal(space.createGuestMemfd(PAGE).fd, busy.inPlace.space.createGuestMemfd(PAGE).fd);
    const memory = host.addresses.adopt(busy.logged.handle);
    memory.close();
    assert.equal(host.addresses.find(memory.hva), undefined);
  });

  test('is not disturbed by what the first host does afterwards', () => {
    const busy = busyHost();
    const state = saveHost(busy.host);
    busy.map.write(0, text('newer!'));
    const host = makeHost(64);
    restoreHost(host, state);
    assert.deepEqual(host.addresses.adopt(busy.map.handle).read(0, 6), text('mapped'));
  });

  test('has used frames only, and bytes of those that have any', () => {
    const host = makeHost(1024);
    const { memory } = makeGuest(host, 512);
    memory.write(0, SECRET);
    memory.write(100 * PAGE, SECRET);
    memory.write(101 * PAGE, new Uint8Array(PAGE));
    memory.write(102 * PAGE, SECRET);
    const state = saveHost(host);
    const { frames } = state;
    assert.equal(frames.numbers.length, 4);
    assert.equal(frames.bytes.length, 3 * PAGE, 'zeros need no bytes');
    const other = makeHost(1024);
    restoreHost(other, state);
    const restored = other.addresses.adopt(memory.handle);
    assert.deepEqual(restored.read(100 * PAGE, 3 * PAGE), memory.read(100 * PAGE, 3 * PAGE));
    assert.equal(restored.residentBytes(), 4 * PAGE);
  });

  test('is restored only where there is room, and nothing else', () => {
    const busy = busyHost();
    const state = saveHost(busy.host);
    assert.throws(() => restoreHost(busy.host, state), SnapshotError);
    assert.throws(() => restoreHost(makeHost(2), state), SnapshotError);
    busy.inPlace.file.close();
    assert.throws(() => saveHost(busy.host), SnapshotError);
    assert.throws(() => saveGuestAddressSpace(busy.inPlace.space), SnapshotError);
  });
});
