import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { openLinuxKvm } from '../src/linux/index.ts';
import { KvmError } from '../src/port/errors.ts';
import { MAX_VIEW_BYTES } from '../src/port/host-memory.ts';
import { CAPS, MEMORY_FLAGS } from '../src/uapi/index.ts';
import { noKvmHere } from './helpers/real-mode-machine.ts';

const skip = noKvmHere();
const PAGE = 4096;
const MiB = 1 << 20;

/** Why this KVM has no guest_memfd that can be mapped, or false. */
function noMappableGuestMemfd(): string | false {
  if (skip !== false) return skip;
  const kvm = openLinuxKvm();
  const flags = kvm.checkExtension(CAPS.KVM_CAP_GUEST_MEMFD_FLAGS);
  kvm.close();
  return flags === 3 ? false : 'the KVM behind /dev/kvm has no guest_memfd that user space can map (Linux 6.18)';
}

describe('host memory', { skip }, () => {
  const kinds = {
    anonymous: (size: number) => openLinuxKvm().allocate(size, { hugePages: false }),
    memfd: (size: number) => openLinuxKvm().allocateMemfd('test', size, { hugePages: false }),
  };
  for (const [kind, allocate] of Object.entries(kinds)) {
    test(`${kind}: is backed as it is touched, and given back when discarded`, () => {
      const memory = allocate(16 * MiB);
      assert.equal(memory.residentBytes(), 0);
      memory.view(5 * PAGE, 1)[0] = 7;
      memory.populate(8 * PAGE, 2 * PAGE);
      assert.equal(memory.residentBytes(), 3 * PAGE);
      assert.equal(memory.residentBytes(8 * PAGE, MiB), 2 * PAGE);
      assert.deepEqual([...memory.residency(4 * PAGE, 3 * PAGE)], [0, 1, 0]);
      memory.discard(5 * PAGE, PAGE);
      assert.equal(memory.residentBytes(), 2 * PAGE);
      assert.equal(memory.view(5 * PAGE, 1)[0], 0);
      memory.close();
    });

    test(`${kind}: is the same bytes through its handle, which closes nothing of its owner's`, () => {
      const memory = allocate(MiB);
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(memory.handle);
      const again = openLinuxKvm().openHostMemory(receiveMessageOnPort(port2)?.message);
      again.view(PAGE, 1)[0] = 9;
      again.close();
      assert.equal(memory.view(PAGE, 1)[0], 9);
      memory.close();
    });
  }

  test('starts on a boundary of 2 MiB, so that huge pages fit', () => {
    const memory = openLinuxKvm().allocate(5 * MiB + PAGE);
    assert.equal(memory.hva % (2 * MiB), 0);
    memory.close();
  });

  test('gives views anywhere in more than 4 GiB, none longer than the longest, none outside', () => {
    const size = 6 * 2 ** 30;
    const memory = openLinuxKvm().allocate(size);
    for (const offset of [0, MAX_VIEW_BYTES / 2 - 1, MAX_VIEW_BYTES - 1, 4 * 2 ** 30 - 1, size - 2]) {
      memory.view(offset, 2).set([1, 2]);
      assert.deepEqual([...memory.view(offset, 2)], [1, 2]);
    }
    assert.equal(memory.view(size - MAX_VIEW_BYTES, MAX_VIEW_BYTES).length, MAX_VIEW_BYTES);
    assert.throws(() => memory.view(0, MAX_VIEW_BYTES + 1), RangeError);
    assert.throws(() => memory.view(size - 1, 2), RangeError);
    assert.throws(() => memory.view(-1, 1), RangeError);
    memory.close();
  });

  test('leaves empty views behind when it is closed, instead of a way to crash', () => {
    const memory = openLinuxKvm().allocate(MiB);
    const view = memory.view(0, 16);
    memory.close();
    assert.equal(view.length, 0);
    assert.throws(() => memory.view(0, 1), RangeError);
    memory.close();
  });

  test('of a size that is none, or more than there are addresses, is refused', () => {
    const kvm = openLinuxKvm();
    for (const size of [0, -1, 1.5, Number.NaN]) assert.throws(() => kvm.allocate(size), RangeError);
    assert.throws(
      () => kvm.allocate(2 ** 50),
      (error: unknown) => error instanceof KvmError && error.code === 'ENOMEM',
    );
  });
});

describe('a guest_memfd', { skip: noMappableGuestMemfd() }, () => {
  test('counts what is allocated, and gives back what is punched', () => {
    const vm = openLinuxKvm().createVm(0);
    const memfd = vm.createGuestMemfd(4 * MiB, 0);
    assert.equal(memfd.allocatedBytes(), 0);
    memfd.allocate(0, MiB);
    assert.equal(memfd.allocatedBytes(), MiB);
    memfd.punch(PAGE, PAGE);
    assert.equal(memfd.allocatedBytes(), MiB - PAGE);
    memfd.close();
    vm.close();
  });

  test('that may be mapped holds the bytes that are written, page by page', () => {
    const kvm = openLinuxKvm();
    const vm = kvm.createVm(0);
    const flags = MEMORY_FLAGS.GUEST_MEMFD_FLAG_MMAP | MEMORY_FLAGS.GUEST_MEMFD_FLAG_INIT_SHARED;
    const memfd = vm.createGuestMemfd(4 * MiB, flags);
    const memory = kvm.mapGuestMemfd(memfd.fd, memfd.size);
    memory.view(3 * PAGE, 2).set([1, 2]);
    assert.equal(memfd.allocatedBytes(), PAGE);
    assert.equal(memory.residentBytes(), PAGE);
    assert.equal(memory.residentBytes(0, 3 * PAGE), 0);
    memory.discard(3 * PAGE, PAGE);
    assert.equal(memory.view(3 * PAGE, 1)[0], 0);
    memory.close();
    memfd.close();
    vm.close();
  });
});
