import { ERRNO, failure } from '../../sys/errno.ts';
import type { EventCounters } from './event-counters.ts';

/** Whether a descriptor of the host is open but no event counter (a VM's, a vCPU's, a guest_memfd's): EINVAL, not EBADF. */
export type IsOtherDescriptor = (fd: number) => boolean;

/** @throws KvmError EBADF for a descriptor that isn't open, EINVAL for one that is no eventfd */
export function requireEventFd(call: string, fd: number, counters: EventCounters, isOther: IsOtherDescriptor): void {
  if (!counters.isOpen(fd)) throw failure(call, isOther(fd) ? ERRNO.EINVAL : ERRNO.EBADF);
}
