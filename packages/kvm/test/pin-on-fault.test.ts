import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openLinuxKvm } from '../src/linux/index.ts';
import { GRANULE_BYTES, pinOnFault } from '../src/linux/pinning/index.ts';
import { KvmError } from '../src/port/index.ts';
import { noUserFaults } from './helpers/no-user-faults.ts';

function pinnedBytes(): number {
  return Number(/^VmPin:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

describe('pinning on fault', { skip: noUserFaults() }, () => {
  test('pins the 2 MiB around what is touched, and only that, and releases all of it', async () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(64 * GRANULE_BYTES, { hugePages: true });
    const before = pinnedBytes();
    const pinning = await pinOnFault(memory);
    try {
      assert.equal(pinning.figures().granules, 0);
      for (const granule of [3, 3, 40]) memory.write(granule * GRANULE_BYTES + 4096, Uint8Array.of(1));
      assert.deepEqual(pinning.figures(), { granules: 2, pinnedBytes: 2 * GRANULE_BYTES, failures: 0, firstErrno: 0 });
      assert.equal(pinnedBytes() - before, 2 * GRANULE_BYTES, 'the operating system counts them');
      assert.equal(memory.read(40 * GRANULE_BYTES, 1)[0], 0);
    } finally {
      pinning.close();
    }
    assert.equal(pinnedBytes(), before);
    memory.write(10 * GRANULE_BYTES, Uint8Array.of(1));
    assert.equal(pinning.figures().granules, 2, 'the kernel serves its faults again');
    memory.close();
    kvm.close();
  });

  test('pins first what was resident before', async () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(4 * GRANULE_BYTES);
    memory.write(GRANULE_BYTES, Uint8Array.of(7));
    const pinning = await pinOnFault(memory);
    assert.equal(pinning.figures().granules, 1);
    assert.equal(memory.read(GRANULE_BYTES, 1)[0], 7);
    pinning.close();
    memory.close();
    kvm.close();
  });

  test('serves a last granule that is shorter, and refuses memory that has no such faults', async () => {
    const kvm = openLinuxKvm();
    const memory = kvm.allocate(GRANULE_BYTES + 8192);
    const pinning = await pinOnFault(memory);
    memory.write(GRANULE_BYTES + 4096, Uint8Array.of(1));
    assert.equal(pinning.figures().pinnedBytes, 8192);
    pinning.close();
    await assert.rejects(pinOnFault({ ...memory, handle: { ...memory.handle, hva: 4096 } }), KvmError);
    memory.close();
    kvm.close();
  });
});
