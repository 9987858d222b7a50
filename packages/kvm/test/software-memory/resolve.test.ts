import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCESS, GuestBytes } from '../../src/software/memory/index.ts';
import { frameOf, guestRead, guestWrite, MEM, makeGuest, makeHost, makeSevGuest, PAGE, text } from './helpers/host.ts';

const SECRET = text('a secret');
const { write, execute, walk, encrypted } = ACCESS;

describe('a guest page on a memslot', () => {
  test('is the slot’s host memory, and no slot is a device', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 4);
    memory.write(PAGE, text('host'));
    assert.deepEqual(guestRead(host, space, 1, 4), text('host'));
    guestWrite(host, space, 2, text('guest'));
    assert.deepEqual(memory.read(2 * PAGE, 5), text('guest'));
    assert.equal(memory.residentBytes(), 2 * PAGE);
    assert.equal(space.resolve(4, 0).kind, 'mmio');
    assert.equal(space.resolve(2 ** 36 - 1, write).kind, 'mmio');
  });

  test('is there at two places where two slots have the same host memory, also in the middle of it', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 4);
    space.setUserMemoryRegion({ slot: 1, flags: 0, gpa: 2 ** 32, size: 2 * PAGE, hva: memory.hva + PAGE });
    assert.equal(frameOf(space, 2 ** 20 + 1), frameOf(space, 2));
  });

  test('may come from several host ranges, and is EFAULT where none is', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 2);
    space.setUserMemoryRegion({ slot: 1, flags: 0, gpa: 16 * PAGE, size: 4 * PAGE, hva: memory.hva });
    assert.equal(space.resolve(17, 0).kind, 'frame');
    assert.equal(space.resolve(18, 0).kind, 'efault');
    assert.equal(space.resolve(16, 0).kind, 'frame');
    memory.close();
    assert.equal(space.resolve(16, 0).kind, 'efault');
  });

  test('of a read-only slot is read, and written as a device', () => {
    const host = makeHost(8);
    const { space } = makeGuest(host, 1);
    const memory = host.addresses.allocate(PAGE);
    space.setUserMemoryRegion({ slot: 1, flags: MEM.READONLY, gpa: 8 * PAGE, size: PAGE, hva: memory.hva });
    const read = space.resolve(8, 0);
    assert.deepEqual([read.kind, read.writable], ['frame', false]);
    assert.equal(space.resolve(8, write).kind, 'mmio');
    assert.equal(space.resolve(0, 0).writable, true);
  });

  test('reads as zeros once the host discarded it, and the guest is told', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 2);
    guestWrite(host, space, 0, SECRET);
    const before = frameOf(space, 0);
    const told: number[] = [];
    host.memory.onChange((address) => told.push(address));
    memory.discard(0, PAGE);
    assert.deepEqual(told, [before]);
    assert.deepEqual([...guestRead(host, space, 0, 4)], [0, 0, 0, 0]);
  });
});

describe('an SEV guest on memslots', () => {
  test('has its key behind the C bit, and behind page walks and fetches whatever the C bit says', () => {
    const host = makeHost(8);
    const { space } = makeSevGuest(host, 4);
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.notDeepEqual(guestRead(host, space, 0, 8), SECRET);
    assert.deepEqual(guestRead(host, space, 0, 8, walk), SECRET);
    assert.deepEqual(guestRead(host, space, 0, 8, execute), SECRET);
    assert.deepEqual(guestRead(host, space, 0, 8, walk | write), SECRET);
  });

  test('writes in the clear where the C bit is clear', () => {
    const host = makeHost(8);
    const { space, memory } = makeSevGuest(host, 4);
    guestWrite(host, space, 0, SECRET);
    assert.deepEqual(memory.read(0, 8), SECRET);
    assert.notDeepEqual(guestRead(host, space, 0, 8, encrypted), SECRET);
  });

  test('cannot read another guest’s memory through its own key', () => {
    const host = makeHost(8);
    const { space, memory } = makeSevGuest(host, 2);
    const other = makeSevGuest(host, 1, 2).space;
    other.setUserMemoryRegion({ slot: 1, flags: 0, gpa: 8 * PAGE, size: PAGE, hva: memory.hva });
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.equal(frameOf(other, 8, encrypted), frameOf(space, 0, encrypted));
    assert.notDeepEqual(guestRead(host, other, 8, 8, encrypted), SECRET);
    assert.deepEqual(guestRead(host, space, 0, 8, encrypted), SECRET);
  });

  test('has no key before it has an ASID', () => {
    const host = makeHost(8);
    const { space, memory } = makeGuest(host, 1, { tech: 'sev' });
    guestWrite(host, space, 0, SECRET, encrypted);
    assert.deepEqual(memory.read(0, 8), SECRET);
  });

  test('is served by KVM in the clear: what it writes is no guest’s plaintext behind the C bit', () => {
    const host = makeHost(8);
    const { space } = makeSevGuest(host, 2);
    const bytes = new GuestBytes(space, host.memory);
    assert.equal(bytes.write(PAGE - 4, text('clockpage')), true);
    assert.deepEqual(guestRead(host, space, 1, 5), text('kpage'));
    assert.notDeepEqual(guestRead(host, space, 1, 5, encrypted), text('kpage'));
    guestWrite(host, space, 1, text('kpage'));
    const read = new Uint8Array(9);
    assert.equal(bytes.read(PAGE - 4, read), true);
    assert.deepEqual(read.slice(4), text('kpage'));
    assert.equal(bytes.write(2 * PAGE - 1, text('xx')), false);
  });
});
