import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errno, frameOf, MEM, makeGuest, makeHost, makeTwoSides, PAGE } from './helpers/host.ts';

describe('a memslot, beside what the conformance rules say of it,', () => {
  test('may be moved onto a part of its own old place', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 4);
    const region = { slot: 0, flags: 0, gpa: PAGE, size: memory.size, hva: memory.hva };
    const first = frameOf(space, 0);
    const changes: number[][] = [];
    space.onMappingChange((start, end) => changes.push([start, end]));
    space.setUserMemoryRegion(region);
    assert.deepEqual(changes, [
      [0, 4],
      [1, 5],
    ]);
    assert.equal(frameOf(space, 1), first);
    assert.equal(space.resolve(0, 0).kind, 'mmio');
  });

  test('that is refused leaves its guest_memfd to another', () => {
    const host = makeHost(8);
    const { space, memory, file } = makeTwoSides(host, 4, {});
    space.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: 0, hva: memory.hva });
    const backing = { guestMemfd: file.fd, guestMemfdOffset: 0 };
    const region = { slot: 0, flags: MEM.GUEST_MEMFD, gpa: 2 ** 52, size: memory.size, hva: memory.hva, ...backing };
    assert.throws(() => space.setUserMemoryRegion2(region), errno('EINVAL'));
    space.setUserMemoryRegion2({ ...region, gpa: 0 });
    assert.throws(() => space.setUserMemoryRegion2({ ...region, slot: 1, gpa: 2 ** 30 }), errno('EINVAL'));
  });

  test('leaves its guest_memfd when its VM is closed', () => {
    const host = makeHost(8);
    const { space, file } = makeTwoSides(host, 4, {});
    space.close();
    assert.equal(file.bind({}, 0, 4), true);
  });
});

test('a descriptor’s number is never given out twice, whatever was opened by number', () => {
  const { descriptors } = makeHost(1);
  const first = descriptors.open({});
  const far = descriptors.open({}, first + 10);
  assert.equal(descriptors.open({}, first + 5), first + 5);
  assert.ok(descriptors.open({}) > far);
  assert.throws(() => descriptors.open({}, far), RangeError);
  descriptors.close(first);
  assert.equal(descriptors.get(first), undefined);
  assert.notEqual(descriptors.open({}), first);
});
