import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openLinuxKvm, pinRights, UserFaults } from '../src/linux/index.ts';
import type { HostMemory } from '../src/port/host-memory.ts';
import { noKvmHere } from './helpers/real-mode-machine.ts';

const PAGE = 4096;
const MiB = 1 << 20;
const LIMIT_MS = 20_000;

/** Why faults can't be handled here, or false. */
function noUserFaults(): string | false {
  const noKvm = noKvmHere();
  if (noKvm !== false) return noKvm;
  try {
    UserFaults.create().close();
    return false;
  } catch (error) {
    return `no userfaultfd here: ${String(error)}`;
  }
}

function touch(memory: HostMemory, offset: number): Worker {
  return new Worker(new URL('helpers/touching-thread.ts', import.meta.url), {
    workerData: { memory: memory.handle, offset },
  });
}

describe('a missing page', { skip: noUserFaults(), timeout: 60_000 }, () => {
  for (const kind of ['anonymous', 'memfd'] as const)
    test(`${kind}: stops who touches it until it is filled, pinned and woken`, async () => {
      const kvm = openLinuxKvm();
      const memory = kind === 'memfd' ? kvm.allocateMemfd('test', 4 * MiB) : kvm.allocate(4 * MiB);
      const faults = UserFaults.create();
      faults.register(memory.hva, memory.size);
      const thread = touch(memory, 5 * PAGE + 7);
      const touched = once(thread, 'message');
      const fault = faults.next(LIMIT_MS);
      assert.deepEqual(fault, { hva: memory.hva + 5 * PAGE, isWrite: true });
      faults.zero(memory.hva, 2 * MiB);
      const pin = kvm.pinning.pin(memory, 0, 2 * MiB);
      assert.equal(pinRights().pinned, 2 * MiB);
      faults.wake(memory.hva, 2 * MiB);
      assert.deepEqual(await touched, [5]);
      assert.equal(memory.read(5 * PAGE + 7, 1)[0], 5);
      pin.release();
      faults.close();
      memory.close();
      kvm.close();
    });

  test('is filled around pages that are there, which keep their bytes', () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(MiB, { hugePages: false });
    memory.write(3 * PAGE, Uint8Array.of(9));
    const faults = UserFaults.create();
    faults.register(memory.hva, memory.size);
    faults.zero(memory.hva, memory.size);
    assert.equal(memory.residentBytes(), MiB);
    assert.equal(memory.read(3 * PAGE, 1)[0], 9);
    faults.close();
    memory.close();
    kvm.close();
  });

  test('of a range that was given back is the kernel’s again', async () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(MiB);
    const faults = UserFaults.create();
    faults.register(memory.hva, memory.size);
    const touched = once(touch(memory, 0), 'message');
    assert.notEqual(faults.next(LIMIT_MS), null);
    faults.unregister(memory.hva, memory.size);
    assert.deepEqual(await touched, [5]);
    assert.equal(faults.next(0), null);
    faults.close();
    memory.close();
    kvm.close();
  });
});
