import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { openLinuxKvm } from '../src/linux/index.ts';
import { KvmError } from '../src/port/errors.ts';
import type { SoftwareHostMemoryHandle } from '../src/port/host-memory.ts';
import { MAX_VIEW_BYTES } from '../src/sys/memory-view.ts';
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
      memory.write(5 * PAGE, Uint8Array.of(7));
      memory.populate(8 * PAGE, 2 * PAGE);
      assert.equal(memory.residentBytes(), 3 * PAGE);
      assert.equal(memory.residentBytes(8 * PAGE, MiB), 2 * PAGE);
      assert.deepEqual([...memory.residency(4 * PAGE, 3 * PAGE)], [0, 1, 0]);
      memory.discard(5 * PAGE, PAGE);
      assert.equal(memory.residentBytes(), 2 * PAGE);
      assert.equal(memory.read(5 * PAGE, 1)[0], 0);
      memory.close();
    });

    test(`${kind}: is the same bytes through its handle, which closes nothing of its owner's`, () => {
      const memory = allocate(MiB);
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(memory.handle);
      const again = openLinuxKvm().openHostMemory(receiveMessageOnPort(port2)?.message);
      again.write(PAGE, Uint8Array.of(9));
      again.close();
      assert.equal(memory.read(PAGE, 1)[0], 9);
      memory.close();
    });
  }

  test('starts on a boundary of 2 MiB, so that huge pages fit', () => {
    const memory = openLinuxKvm().allocate(5 * MiB + PAGE);
    assert.equal(memory.hva % (2 * MiB), 0);
    memory.close();
  });

  test('is read, written and filled anywhere in more than 4 GiB, and never outside', () => {
    const size = 6 * 2 ** 30;
    const memory = openLinuxKvm().allocate(size);
    for (const offset of [0, MAX_VIEW_BYTES / 2 - 1, MAX_VIEW_BYTES - 1, 4 * 2 ** 30 - 1, size - 2]) {
      memory.write(offset, Uint8Array.of(1, 2));
      assert.deepEqual([...memory.read(offset, 2)], [1, 2]);
    }
    for (const [offset, length] of [
      [size - 1, 2],
      [-1, 1],
      [Number.NaN, 1],
    ] as const) {
      assert.throws(() => memory.read(offset, length), RangeError);
      assert.throws(() => memory.write(offset, new Uint8Array(length)), RangeError);
      assert.throws(() => memory.fill(offset, length, 0), RangeError);
    }
    memory.close();
  });

  test('is read, written and filled in lengths that no view of this process can have', () => {
    const length = MAX_VIEW_BYTES / 2 + MiB;
    const memory = openLinuxKvm().allocate(length + 2 * PAGE);
    memory.fill(PAGE, length, 7);
    assert.deepEqual([...memory.read(PAGE - 1, 2)], [0, 7]);
    assert.deepEqual([...memory.read(PAGE + length - 1, 2)], [7, 0]);
    const bytes = memory.read(PAGE, length);
    assert.deepEqual([bytes.length, bytes.indexOf(0)], [length, -1]);
    bytes.set([1, 2], length - 2);
    memory.write(PAGE, bytes);
    assert.deepEqual([...memory.read(PAGE + length - 3, 4)], [7, 1, 2, 0]);
    memory.close();
  });

  test('gives copies, and nothing of it is reachable once it is closed', () => {
    const memory = openLinuxKvm().allocate(MiB);
    const copy = memory.read(0, 16);
    copy[0] = 1;
    assert.equal(memory.read(0, 1)[0], 0);
    memory.close();
    assert.equal(copy[0], 1);
    assert.throws(() => memory.read(0, 1), RangeError);
    assert.throws(() => memory.write(0, copy), RangeError);
    assert.throws(() => memory.fill(0, 1, 0), RangeError);
    memory.close();
  });

  test('of the software backend is refused by what only the kernel can do', () => {
    const kvm = openLinuxKvm();
    const handle: SoftwareHostMemoryHandle = { backend: 'software', hva: 0, size: MiB, kind: 'anonymous', fd: -1 };
    const memory = kvm.allocate(MiB);
    assert.throws(() => kvm.openHostMemory(handle), /memory of the software backend/);
    assert.throws(() => kvm.pinning.pin({ ...memory, size: MiB, handle }, 0, PAGE), /memory of the software backend/);
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
    memory.write(3 * PAGE, Uint8Array.of(1, 2));
    assert.equal(memfd.allocatedBytes(), PAGE);
    assert.equal(memory.residentBytes(), PAGE);
    assert.equal(memory.residentBytes(0, 3 * PAGE), 0);
    memory.discard(3 * PAGE, PAGE);
    assert.equal(memory.read(3 * PAGE, 1)[0], 0);
    memory.close();
    memfd.close();
    vm.close();
  });
});
