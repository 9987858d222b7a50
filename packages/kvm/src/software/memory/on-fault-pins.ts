import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { OnFaultPinning } from '../../port/pinning.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { HostAddressSpace } from './host-address-space.ts';
import { FRAME_SHIFT, type PhysicalMemory } from './physical-memory.ts';
import type { Pins } from './pins.ts';

/**
 * Deferred pinning, as the 2022 RFC proposed it: a page of this memory is pinned when it gets its frame, and nothing
 * is unpinned until the end. What is there already is pinned now. KvmError: EFAULT where the address names no memory,
 * EINVAL for a guest_memfd's mapping.
 */
export function pinOnFault(memory: PhysicalMemory, host: HostAddressSpace, pins: Pins, hva: number): OnFaultPinning {
  const range = host.find(hva);
  if (range === undefined) throw failure('pin', ERRNO.EFAULT);
  if (range.file !== null) throw failure('pin', ERRNO.EINVAL, 'the memory of a guest_memfd');
  const frames: number[] = [];
  let failures = 0;
  const take = (_: number, address: number): void => {
    if (!pins.countOne()) {
      failures += 1;
      return;
    }
    memory.pin(address);
    frames.push(address >>> FRAME_SHIFT);
  };
  range.backing.forEach(0, range.pages, take);
  const stop = range.backing.onAllocate(take);
  return {
    figures: () => ({
      pinnedBytes: frames.length * PAGE_BYTES,
      failures,
      firstErrno: failures === 0 ? 0 : ERRNO.ENOMEM,
    }),
    close: () => {
      stop();
      pins.uncount(frames.length);
      for (const frame of frames.splice(0)) memory.unpin((frame << FRAME_SHIFT) >>> 0);
      memory.settle();
    },
  };
}
