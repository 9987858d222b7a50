import { readFileSync } from 'node:fs';
import type { PinRights } from '../port/pinning.ts';
import { ERRNO } from '../sys/errno.ts';
import { memlockLimit } from '../sys/rlimit.ts';

/** CAP_IPC_LOCK (linux/capability.h): locks and pins beyond RLIMIT_MEMLOCK. */
const CAP_IPC_LOCK = 14;

/** Asks the kernel (CapEff and VmPin of /proc/self/status, getrlimit). */
export function pinRights(): PinRights {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const hasIpcLock = ((effective >> BigInt(CAP_IPC_LOCK)) & 1n) === 1n;
  return {
    limit: hasIpcLock ? Number.POSITIVE_INFINITY : memlockLimit().soft,
    hasIpcLock,
    pinned: Number(/^VmPin:\s*(\d+) kB/m.exec(status)?.[1] ?? '0') * 1024,
  };
}

/** Why a pin of `length` bytes was refused, where the errno has a usual cause. */
export function explainPinFailure(errno: number, length: number): string | undefined {
  if (errno === ERRNO.ENOMEM) {
    const { limit, hasIpcLock, pinned } = pinRights();
    if (hasIpcLock) return `no memory left for ${length} more bytes, ${pinned} are pinned`;
    return `${pinned} bytes are pinned and RLIMIT_MEMLOCK allows ${limit}: raise it (ulimit -l) or give CAP_IPC_LOCK`;
  }
  if (errno === ERRNO.EPERM) return 'io_uring is switched off (sysctl kernel.io_uring_disabled)';
  if (errno === ERRNO.EFAULT) return 'not all of the range is mapped, accessible memory';
  if (errno === ERRNO.EOPNOTSUPP) return 'this kind of memory has no long-term pins';
  return undefined;
}
