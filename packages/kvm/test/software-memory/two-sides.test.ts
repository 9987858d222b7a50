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

/** An SEV guest of two sides; `found` says what an access is found to be before it is made. */
function upm(conversion: 'out-of-place' | 'in-place' = 'out-of-place', flags = 0) {
  const host = makeHost(16);
  const guest = makeTwoSides(host, 4, { tech: 'sev', conversion }, flags);
  guest.space.watchViews();
  const found = (gfn: number, access = 0): string => {
    const finding = guest.space.look(gfn, access);
    if (finding === null) return 'nothing';
    const { gpa, view, attribute, isWrite, consumes } = finding;
    return `${isWrite ? 'writes' : 'reads'} ${attribute} page ${gpa / PAGE} as ${view}, consumes ${consumes}`;
  };
  return { host, found, ...guest };
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
    const { host, space, memory, file, found } = upm();
    space.setMemoryAttributes(0, 2 * PAGE, PRIVATE);
    assert.deepEqual([found(0, encrypted | write), found(2, write)], ['nothing', 'nothing']);
    guestWrite(host, space, 0, SECRET, encrypted);
    guestWrite(host, space, 2, text('shared'));
    assert.deepEqual([file.allocatedBytes(), memory.residentBytes()], [PAGE, PAGE]);
    assert.deepEqual(memory.read(2 * PAGE, 6), text('shared'));
    host.views.materialise(file.backing.frameAt(0), 0);
    assert.equal(Buffer.from(host.memory.bytes(file.backing.frameAt(0))).includes('a secret'), false);
  });

  test('that lies is never refused: it gets the wrong bytes, and what it does is found', () => {
    const { host, space, file, memory, found } = upm();
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.equal(found(0), 'reads private page 0 as shared, consumes other-view');
    assert.notDeepEqual(guestRead(host, space, 0, 8), SECRET);
    assert.equal(found(0), 'nothing', 'the page is in that view now');
    assert.equal(found(0, encrypted), 'nothing', 'back in the view that it was written through');
    assert.equal(found(1, encrypted | write), 'writes shared page 1 as private, consumes nothing');
    guestWrite(host, space, 1, SECRET, encrypted);
    assert.equal(found(1), 'reads shared page 1 as shared, consumes other-view');
    assert.equal(file.backing.frameAt(1), 0);
    assert.equal(memory.residentBytes(), PAGE);
    assert.notDeepEqual(memory.read(PAGE, 8), SECRET);
  });

  test('that clears a page through the other view before it reports it does nothing wrong', () => {
    const { host, space, file, found } = upm();
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    assert.equal(found(0, write), 'writes private page 0 as shared, consumes nothing');
    guestWrite(host, space, 0, new Uint8Array(PAGE));
    space.setMemoryAttributes(0, PAGE, 0);
    file.punch(0, PAGE);
    assert.equal(found(0), 'nothing');
    assert.deepEqual([...guestRead(host, space, 0, 2)], [0, 0]);
  });

  test('that reads on through the view whose page its report gave back finds it gone', () => {
    const { host, space, file, memory, found } = upm();
    space.setMemoryAttributes(0, 2 * PAGE, PRIVATE);
    for (const gfn of [0, 1]) guestWrite(host, space, gfn, SECRET, encrypted);
    space.setMemoryAttributes(0, 2 * PAGE, 0);
    file.punch(0, 2 * PAGE);
    assert.equal(found(0, encrypted), 'reads shared page 0 as private, consumes discarded');
    assert.notDeepEqual(guestRead(host, space, 0, 8, encrypted), SECRET);
    guestWrite(host, space, 1, text('new'), encrypted);
    assert.equal(found(1, encrypted), 'nothing', 'what it has written since');
    memory.write(0, text('the host'));
    assert.equal(found(0, encrypted), 'reads shared page 0 as private, consumes other-view');
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    memory.discard(0, PAGE);
    assert.equal(found(0, encrypted), 'nothing', 'a page that it took back is new');
    assert.equal(found(0), 'reads private page 0 as shared, consumes discarded', 'what the host had left there');
  });

  test('is asked again at its first write of a page that it has read', () => {
    const { space } = upm();
    space.setMemoryAttributes(0, PAGE, PRIVATE);
    assert.equal(space.resolve(0, encrypted).writable, false);
    assert.equal(space.resolve(0, encrypted | write).writable, true);
    assert.equal(space.resolve(0, encrypted).writable, true);
  });

  test('whose clock page is still private has it written on the shared side', () => {
    const { host, space, memory } = upm();
    space.setMemoryAttributes(0, 4 * PAGE, PRIVATE);
    assert.equal(new GuestBytes(space, host.memory).write(PAGE, text('clock')), true);
    assert.deepEqual(memory.read(PAGE, 5), text('clock'));
  });

  test('converted in place keeps its frame: plaintext that it wrote with C=0 is there for the host', () => {
    const { host, space, file, found } = upm('in-place', GMEM.MMAP);
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
    assert.equal(found(0), 'nothing', 'it is in that view still');
    assert.equal(found(0, encrypted), 'reads private page 0 as private, consumes other-view');
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
