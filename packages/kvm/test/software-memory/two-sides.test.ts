import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS, GuestBytes } from '../../src/software/memory/index.ts';
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

const SECRET = text('a secret');
const { write, encrypted } = ACCESS;

/** An SEV guest of two sides, and what it does that hardware can't see. */
function upm(conversion: 'out-of-place' | 'in-place' = 'out-of-place', flags = 0) {
  const host = makeHost(16);
  const guest = makeTwoSides(host, 4, { tech: 'sev', conversion }, flags);
  const lies: string[] = [];
  guest.space.observer = {
    wrongView: (gfn, isEncrypted, access) => lies.push(`page ${gfn} C=${Number(isEncrypted)} access ${access}`),
    hostUse: (gfn, isWrite) => lies.push(`host ${isWrite ? 'writes' : 'reads'} page ${gfn}`),
  };
  return { host, lies, ...guest };
}

describe('a software-protected guest', () => {
  test('has the side that the attribute says, each with its own bytes', () => {
    const host = makeHost(16);
    const { space, memory, file } = makeTwoSides(host, 4, {});
    memory.fill(0, memory.size, 5);
    assert.deepEqual([...guestRead(host, space, 0, 1)], [5]);
    assert.equal(file.allocatedBytes(), 0);
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    assert.deepEqual([...guestRead(host, space, 0, 1)], [0]);
    guestWrite(host, space, 0, Uint8Array.of(7));
    assert.deepEqual([...memory.read(0, 1)], [5]);
    assert.equal(file.allocatedBytes(), PAGE);
    space.setMemoryAttributes(0, PAGE, 0);
    assert.deepEqual([...guestRead(host, space, 0, 1)], [5]);
    assert.equal(file.allocatedBytes(), PAGE, 'a conversion frees nothing');
    file.punch(0, PAGE);
    assert.equal(file.allocatedBytes(), 0);
  });

  test('faults on a private page without a slot or without a guest_memfd, and not on a device', () => {
    const host = makeHost(16);
    const { space } = makeGuest(host, 2, { tech: 'sw-protected', hasPrivateMemory: true });
    space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
    for (const gfn of [1, 3]) {
      const { kind, isPrivate } = space.resolve(gfn, 0);
      assert.deepEqual([kind, isPrivate], ['memory-fault', true]);
    }
    assert.equal(space.resolve(4, 0).kind, 'mmio');
    space.setMemoryAttributes(0, 4 * PAGE, 0);
    assert.equal(space.resolve(1, 0).kind, 'frame');
    assert.equal(space.resolve(3, 0).kind, 'mmio');
  });
});

test('an SNP guest faults where C bit and attribute differ, and says how it asked', () => {
  const host = makeHost(16);
  const { space } = makeTwoSides(host, 4, { tech: 'snp' });
  space.setMemoryAttributes(0, PAGE, PRIVATE);
  const asks = [
    [0, encrypted, 'frame', false],
    [0, 0, 'memory-fault', false],
    [1, encrypted, 'memory-fault', true],
    [1, 0, 'frame', false],
  ] as const;
  for (const [gfn, access, kind, isPrivate] of asks) {
    const answer = space.resolve(gfn, access);
    assert.deepEqual([answer.kind, answer.isPrivate], [kind, isPrivate], `page ${gfn}, access ${access}`);
  }
  assert.equal(space.resolve(9, encrypted).kind, 'memory-fault');
  assert.equal(space.resolve(9, 0).kind, 'mmio');
});

describe('an SEV guest with a guest_memfd', () => {
  test('has private pages in the file under its key, and shared ones in host memory', () => {
    const { host, space, memory, file, lies } = upm();
    space.setMemoryAttributes(0, 2 * PAGE, PRIVATE);
    guestWrite(host, space, 0, SECRET, encrypted);
    guestWrite(host, space, 2, text('shared'));
    assert.deepEqual([file.allocatedBytes(), memory.residentBytes()], [PAGE, PAGE]);
    assert.deepEqual(memory.read(2 * PAGE, 6), text('shared'));
    host.views.materialise(file.backing.frameAt(0), 0);
    assert.equal(Buffer.from(host.memory.bytes(file.backing.frameAt(0))).includes('a secret'), false);
    assert.deepEqual(lies, []);
  });

  test('that lies is never refused: it is named, and gets the wrong bytes', () => {
    const { host, space, file, memory, lies } = upm();
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.notDeepEqual(guestRead(host, space, 0, 8), SECRET);
    assert.deepEqual(lies, ['page 0 C=0 access 0']);
    guestWrite(host, space, 1, SECRET, encrypted);
    assert.deepEqual(lies.slice(1), [`page 1 C=1 access ${encrypted | write}`]);
    assert.equal(file.backing.frameAt(1), 0);
    assert.equal(memory.residentBytes(), PAGE);
    assert.notDeepEqual(memory.read(PAGE, 8), SECRET);
  });

  test('whose clock page is still private has it written on the shared side, and that is named', () => {
    const { host, space, memory, lies } = upm();
    space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
    assert.equal(new GuestBytes(space, host.memory).write(PAGE, text('clock')), true);
    assert.deepEqual(memory.read(PAGE, 5), text('clock'));
    assert.deepEqual(lies, ['host writes page 1']);
  });

  test('converted in place keeps its frame: plaintext that it wrote with C=0 is there for the host', () => {
    const { host, space, file, lies } = upm('in-place', GMEM.MMAP);
    const map = host.addresses.mapGuestMemfd(file.fd, file.size);
    assert.equal(space.attributeOf(0), 'private');
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.throws(() => map.read(0, 8), errno('EFAULT'));
    const address = frameOf(space, 0, encrypted);
    const told: number[] = [];
    host.memory.onChange((at) => told.push(at));
    space.setMemoryAttributes(0, PAGE, 0);
    assert.deepEqual(told, [address], 'the guest must ask again');
    assert.equal(space.attributeOf(0), 'shared');
    assert.notDeepEqual(map.read(0, 8), SECRET, 'ciphertext stays what it is');
    guestWrite(host, space, 0, text('for the host'));
    assert.deepEqual(map.read(0, 12), text('for the host'));
    assert.equal(frameOf(space, 0), address);
    file.convert(0, PAGE, 'private');
    assert.throws(() => map.write(0, SECRET), errno('EFAULT'));
    assert.deepEqual(lies, []);
    guestRead(host, space, 0, 1);
    assert.equal(lies.length, 1);
  });

  test('cannot convert a page to private in place while the host holds it pinned', () => {
    const { host, space, file } = upm('in-place', GMEM.MMAP | GMEM.INIT_SHARED);
    const map = host.addresses.mapGuestMemfd(file.fd, file.size);
    const pin = host.pins.pin(map.hva + PAGE, PAGE);
    assert.throws(() => space.setMemoryAttributes(0, 4 * PAGE, PRIVATE), errno('EAGAIN'));
    assert.equal(space.attributeOf(0), 'shared');
    pin.release();
    space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
    assert.equal(space.attributeOf(1), 'private');
  });
});

test('a terabyte is converted as one run, whatever slots there are', () => {
  const host = makeHost(4);
  const { space } = makeGuest(host, 4, { tech: 'sw-protected', hasPrivateMemory: true });
  const changes: number[][] = [];
  space.onMappingChange((start, end) => changes.push([start, end]));
  space.setMemoryAttributes(0, 2 ** 40, PRIVATE);
  space.setMemoryAttributes(0, 2 ** 40, PRIVATE);
  assert.deepEqual(changes, [[0, 2 ** 28]]);
  assert.equal(space.attributes.runs, 2);
  assert.equal(space.attributeOf(2 ** 28 - 1), 'private');
  assert.equal(space.attributeOf(2 ** 28), 'shared');
});

test('a slot whose guest_memfd was closed is a memory fault', () => {
  const host = makeHost(8);
  const space = host.createGuestAddressSpace({ tech: 'none', hasPrivateMemory: false });
  const file = space.createGuestMemfd(PAGE, GMEM.MMAP | GMEM.INIT_SHARED);
  const region = { slot: 0, flags: MEM.GUEST_MEMFD, gpa: 0, size: PAGE, hva: 0, guestMemfd: file.fd };
  space.setUserMemoryRegion2({ ...region, guestMemfdOffset: 0 });
  guestWrite(host, space, 0, SECRET);
  file.close();
  const { kind, isPrivate } = space.resolve(0, 0);
  assert.deepEqual([kind, isPrivate], ['memory-fault', false]);
  assert.equal(host.memory.figures().usedFrames, 0);
});

test('a mapped guest_memfd of a default VM is host and guest memory at once, and outlives its descriptor', () => {
  const host = makeHost(8);
  const space = host.createGuestAddressSpace({ tech: 'none', hasPrivateMemory: false });
  const file = space.createGuestMemfd(2 * PAGE, GMEM.MMAP | GMEM.INIT_SHARED);
  const map = host.addresses.mapGuestMemfd(file.fd, 4 * PAGE);
  const region = { slot: 0, flags: MEM.GUEST_MEMFD, gpa: 0, size: 2 * PAGE, hva: map.hva, guestMemfd: file.fd };
  space.setUserMemoryRegion2({ ...region, guestMemfdOffset: 0 });
  guestWrite(host, space, 1, SECRET);
  assert.deepEqual(map.read(PAGE, 8), SECRET);
  assert.equal(new GuestBytes(space, host.memory).read(PAGE, new Uint8Array(8)), true);
  assert.throws(() => map.read(2 * PAGE, 1), errno('EFAULT'), 'beyond the end of the file');
  // A second slot reaches the same page by the mapping's address, so that it must ask again when the mapping goes.
  space.setUserMemoryRegion({ slot: 1, flags: 0, gpa: 2 ** 20, size: 2 * PAGE, hva: map.hva });
  const address = frameOf(space, 256 + 1);
  file.close();
  assert.deepEqual(map.read(PAGE, 8), SECRET);
  const told: number[] = [];
  host.memory.onChange((at) => told.push(at));
  map.close();
  assert.ok(told.includes(address));
  assert.equal(host.memory.figures().usedFrames, 0);
});

test('a slot on a mapping of a guest_memfd asks again when the mapping goes, though the file keeps its pages', () => {
  const host = makeHost(8);
  const space = host.createGuestAddressSpace({ tech: 'none', hasPrivateMemory: false, conversion: 'in-place' });
  const file = space.createGuestMemfd(PAGE, GMEM.MMAP | GMEM.INIT_SHARED);
  const map = host.addresses.mapGuestMemfd(file.fd, PAGE);
  space.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: PAGE, hva: map.hva });
  const address = frameOf(space, 0);
  const told: number[] = [];
  host.memory.onChange((at) => told.push(at));
  map.close();
  assert.deepEqual(told, [address]);
  assert.equal(space.resolve(0, 0).kind, 'efault');
  assert.equal(file.allocatedBytes(), PAGE);
  assert.throws(
    () => file.convert(0, PAGE, 'private'),
    errno('EINVAL'),
    'a VM without private memory converts nothing',
  );
});
