import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openLinuxKvm, pinParallel, pinRights } from '../src/linux/index.ts';
import { KvmError } from '../src/port/errors.ts';
import type { HostMemory } from '../src/port/host-memory.ts';
import { noKvmHere } from './helpers/real-mode-machine.ts';

const skip = noKvmHere();
const MiB = 1 << 20;

/** What the kernel says this process holds in long-term pins. */
const pinned = (): number => pinRights().pinned;

const allocate = (size: number): HostMemory => openLinuxKvm().allocate(size, { hugePages: true });

describe('a pin', { skip }, () => {
  test('counts in VmPin while it is held, backs what was not there, and is released once', () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(16 * MiB);
    const pin = kvm.pinning.pin(memory, 4 * MiB, 8 * MiB);
    assert.equal(pinned(), 8 * MiB);
    assert.equal(memory.residentBytes(4 * MiB, 8 * MiB), 8 * MiB);
    pin.release();
    pin.release();
    assert.equal(pinned(), 0);
    memory.close();
    kvm.close();
  });

  test('of more than 1 GiB is one pin', () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(1100 * MiB, { hugePages: true });
    const pin = kvm.pinning.pin(memory, 0, memory.size);
    assert.equal(pinned(), memory.size);
    pin.release();
    assert.equal(pinned(), 0);
    memory.close();
    kvm.close();
  });

  test('among thousands is released alone, and its place is used again', () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(80 * MiB, { hugePages: false });
    const pins = Array.from({ length: 20_000 }, (_, index) => kvm.pinning.pin(memory, index * 4096, 4096));
    assert.equal(pinned(), 20_000 * 4096);
    for (const pin of pins.splice(0, 19_000)) pin.release();
    assert.equal(pinned(), 1000 * 4096);
    pins.push(...Array.from({ length: 500 }, (_, index) => kvm.pinning.pin(memory, index * 4096, 4096)));
    assert.equal(pinned(), 1500 * 4096);
    kvm.close();
    assert.equal(pinned(), 0);
    for (const pin of pins) pin.release();
    memory.close();
  });

  test('of memory that is not there is refused with EFAULT and holds nothing', () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(4 * MiB);
    memory.protect(2 * MiB, MiB, 'none');
    assert.throws(
      () => kvm.pinning.pin(memory, 0, memory.size),
      (error: unknown) => error instanceof KvmError && error.code === 'EFAULT' && /mapped/.test(error.message),
    );
    assert.equal(pinned(), 0);
    assert.throws(() => kvm.pinning.pin(memory, 0, memory.size + 1), RangeError);
    memory.close();
    kvm.close();
  });
});

describe('pinning in parallel', { skip }, () => {
  test('holds all of several ranges, tells its progress, and is released as one', async () => {
    const [low, high] = [allocate(256 * MiB), allocate(64 * MiB)];
    const steps: number[] = [];
    const pin = await pinParallel(
      [
        { memory: low, offset: 2 * MiB, length: 254 * MiB },
        { memory: high, offset: 0, length: 64 * MiB },
      ],
      { threads: 2, onProgress: (bytes) => steps.push(bytes) },
    );
    assert.equal(pin.bytes, 318 * MiB);
    assert.equal(pinned(), 318 * MiB);
    assert.equal(steps.at(-1), 318 * MiB);
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
    );
    pin.release();
    assert.equal(pinned(), 0);
    low.close();
    high.close();
  });

  test('that is refused somewhere holds nothing anywhere', async () => {
    const memory = allocate(256 * MiB);
    memory.protect(200 * MiB, 4096, 'none');
    await assert.rejects(
      pinParallel([{ memory, offset: 0, length: memory.size }]),
      (error: unknown) => error instanceof KvmError && error.code === 'EFAULT',
    );
    assert.equal(pinned(), 0);
    memory.close();
  });
});
