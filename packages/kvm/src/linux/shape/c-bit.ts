import type { CpuidEntry } from '../../port/index.ts';

/** CPUID 0x80000008 EAX: bits 7:0 are the width of a physical address (AMD64 APM 3, E.4.7). */
const CAPACITY_LEAF = 0x8000_0008;
/** The width where a processor doesn't say. */
const DEFAULT_WIDTH = 36;
/** Below it the C bit would lie in the first 4 GiB, among devices. */
const LOWEST = 32;
/** Four levels of nested paging reach 48 bits, whatever the processor's width; SEV processors have it at 47 or 51. */
const HIGHEST = 47;

/** The processor's physical-address width as KVM would show it to a guest. */
export function physicalWidth(supported: readonly CpuidEntry[]): number {
  const leaf = supported.find((entry) => entry.function === CAPACITY_LEAF);
  return leaf === undefined ? DEFAULT_WIDTH : leaf.eax & 0xff;
}

/**
 * The C bit of a shaped guest: the highest address bit that the processor really has, so that a page-table entry with
 * it is no reserved-bit fault and KVM's page tables reach both views.
 * RangeError where the RAM needs that bit itself.
 */
export function chooseCBit(supported: readonly CpuidEntry[], ramEnd: number): number {
  const bit = Math.min(physicalWidth(supported) - 1, HIGHEST);
  if (bit < LOWEST || 2 ** bit < ramEnd)
    throw new RangeError(
      `RAM up to ${ramEnd.toString(16)} leaves no spare address bit below bit ${bit + 1} of this processor's physical addresses`,
    );
  return bit;
}
