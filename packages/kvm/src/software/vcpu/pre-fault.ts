import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { ACCESS, type GuestAddressSpace } from '../memory/index.ts';

const PAGE = 4096n;

/**
 * KVM_PRE_FAULT_MEMORY: gives guest pages their frames, and answers the bytes that are left where it had to stop.
 * KvmError: EINVAL for flags, an empty, wrapping or unaligned range; ENOENT where no slot is, EFAULT or ENOMEM where
 * memory can't be had, each only if nothing was done.
 */
export function preFault(space: GuestAddressSpace, gpa: U64, size: U64, flags: U64): number {
  const call = 'KVM_PRE_FAULT_MEMORY';
  const start = BigInt.asUintN(64, BigInt(gpa));
  const bytes = BigInt.asUintN(64, BigInt(size));
  const isWhole = start % PAGE === 0n && bytes % PAGE === 0n;
  if (BigInt(flags) !== 0n || !isWhole || bytes === 0n || start + bytes >= 1n << 64n) throw failure(call, ERRNO.EINVAL);
  const first = Number(start / PAGE);
  const pages = Number(bytes / PAGE);
  for (let done = 0; done < pages; done++) {
    const errno = touch(space, first + done);
    if (errno === 0) continue;
    if (done === 0) throw failure(call, errno);
    return (pages - done) * Number(PAGE);
  }
  return 0;
}

/** The page's frame in the view that its attribute asks for. Answers an errno, or 0. */
function touch(space: GuestAddressSpace, gfn: number): number {
  if (space.slots.find(gfn) === undefined) return ERRNO.ENOENT;
  const resolved = space.resolve(gfn, space.attributeOf(gfn) === 'private' ? ACCESS.encrypted : 0);
  switch (resolved.kind) {
    case 'frame':
      return 0;
    case 'mmio':
      return ERRNO.ENOENT;
    case 'enomem':
      return ERRNO.ENOMEM;
    case 'efault':
    case 'memory-fault':
      return ERRNO.EFAULT;
  }
}
