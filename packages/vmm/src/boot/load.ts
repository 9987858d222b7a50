import type { GuestMemory } from '@unpin/kvm';
import type { BootPlan } from './plan.ts';

/** Longest single write, in bytes: guest memory is windowed and a long copy shouldn't hold the thread for long. */
const CHUNK = 16 * 1024 * 1024;

/**
 * Puts a plan's pieces into guest memory, all through one view: private where the guest has a C bit, since everything
 * a SEV guest starts with is private, else shared. Memory is zero before: what a piece claims beyond its bytes is left.
 * @param progress called with the bytes written so far
 */
export function load(memory: GuestMemory, plan: BootPlan, progress?: (bytes: number) => void): void {
  const view = plan.cBit === null ? 'shared' : 'private';
  let written = 0;
  for (const { gpa, bytes } of plan.pieces)
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const part = bytes.subarray(at, at + CHUNK);
      memory.write(gpa + at, part, view);
      written += part.length;
      progress?.(written);
    }
}
