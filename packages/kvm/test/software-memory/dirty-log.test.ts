import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS, GuestBytes } from '../../src/software/memory/index.ts';
import { errno, MEM, makeGuest, makeHost, PAGE, text } from './helpers/host.ts';

const { write } = ACCESS;

/** A VM with a slot of 70 pages at 1 MiB that logs. */
function logged() {
  const host = makeHost(80);
  const { space } = makeGuest(host, 1);
  const memory = host.addresses.allocate(70 * PAGE);
  const region = { slot: 1, flags: MEM.LOG, gpa: 2 ** 20, size: memory.size, hva: memory.hva };
  space.setUserMemoryRegion(region);
  return { host, space, region, memory };
}

describe('the dirty log', () => {
  test('has the pages that the guest wrote, once', () => {
    const { space } = logged();
    assert.equal(space.resolve(256, 0).writable, false, 'a read must not open the page for writes');
    assert.equal(space.resolve(256 + 65, write).writable, true);
    assert.equal(space.resolve(256 + 65, 0).writable, true);
    const changes: number[][] = [];
    space.onMappingChange((start, end) => changes.push([start, end]));
    const log = space.takeDirtyLog(1, 70);
    assert.equal(log.length, 16);
    assert.deepEqual([...log], [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(changes, [[256, 326]]);
    assert.equal(space.resolve(256 + 65, 0).writable, false);
    assert.ok(space.takeDirtyLog(1, 70).every((byte) => byte === 0));
  });

  test('has what KVM itself writes, and not what the host writes', () => {
    const { host, space, memory } = logged();
    memory.write(3 * PAGE, text('host'));
    new GuestBytes(space, host.memory).write(2 ** 20 + 8 * PAGE, text('kvm-clock'));
    assert.deepEqual([...space.takeDirtyLog(1, 70)].slice(0, 3), [0, 1, 0]);
    assert.throws(() => space.takeDirtyLog(1, 64), errno('EFAULT'));
    assert.throws(() => space.takeDirtyLog(0, 64), errno('ENOENT'));
  });

  test('moves with its slot and ends with its flag', () => {
    const { space, region } = logged();
    space.resolve(256, write);
    space.setUserMemoryRegion({ ...region, gpa: 2 ** 24 });
    assert.equal(space.takeDirtyLog(1, 70)[0], 1);
    space.setUserMemoryRegion({ ...region, gpa: 2 ** 24, flags: 0 });
    assert.throws(() => space.takeDirtyLog(1, 70), errno('ENOENT'));
    assert.equal(space.resolve(4096, 0).writable, true);
  });
});
