/** Where x86-64 Linux maps its image (__START_KERNEL_map), and how much of it there is at most. */
const KERNEL_MAP = 0xffff_ffff_8000_0000n;
const KERNEL_MAP_BYTES = 0x4000_0000n;

/** A kernel RIP as it was linked. In its first instructions a kernel still runs at its physical addresses. */
export function virtualAddress(rip: bigint): bigint {
  return rip < KERNEL_MAP_BYTES ? KERNEL_MAP + rip : rip;
}
