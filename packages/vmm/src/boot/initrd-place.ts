import { type GpaRange, PAGE_BYTES } from '@unpin/kvm';
import { BootError } from './boot-error.ts';

/**
 * Where an initrd goes: as high as it fits in RAM below 4 GiB, page-aligned, so that it is out of the way of a growing
 * kernel; above 4 GiB only where there's no room below (a 64-bit kernel takes it from anywhere).
 * @param taken what already has its place
 * @throws BootError `initrd-too-large`
 */
export function placeInitrd(size: number, ram: readonly GpaRange[], taken: readonly GpaRange[]): number {
  for (const range of ram) {
    const gpa = highestGap(size, range, taken);
    if (gpa !== undefined) return gpa;
  }
  const most = ram.reduce((largest, range) => Math.max(largest, range.size), 0);
  throw new BootError(
    'initrd-too-large',
    `an initrd of ${size} bytes`,
    `it does not fit beside the kernel in RAM, whose largest range is ${most} bytes`,
  );
}

/** Goes down from the range's end; whatever is in the way sets the next end. */
function highestGap(size: number, range: GpaRange, taken: readonly GpaRange[]): number | undefined {
  let end = range.gpa + range.size;
  for (;;) {
    const gpa = Math.floor((end - size) / PAGE_BYTES) * PAGE_BYTES;
    if (gpa < range.gpa) return undefined;
    const inTheWay = taken.find((other) => other.gpa < gpa + size && gpa < other.gpa + other.size);
    if (inTheWay === undefined) return gpa;
    end = inTheWay.gpa;
  }
}
