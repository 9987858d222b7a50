import { type GpaRange, PAGE_BYTES } from '@unpin/kvm';
import { BootError } from './boot-error.ts';
import { EXTENDED_BASE, HIGH_RAM_BASE, LOW_RAM_LIMIT } from './layout.ts';

/**
 * Where a guest's RAM of `bytes` lies: below 3 GiB, and the rest from 4 GiB on.
 * @throws BootError `memory-size` unless `bytes` is a multiple of 4096 above 1 MiB.
 */
export function ramRanges(bytes: number): readonly GpaRange[] {
  if (!Number.isSafeInteger(bytes) || bytes % PAGE_BYTES !== 0 || bytes <= EXTENDED_BASE)
    throw new BootError('memory-size', `a memory size of ${bytes} bytes`, 'a multiple of 4096 above 1 MiB is needed');
  const low = Math.min(bytes, LOW_RAM_LIMIT);
  const ranges: GpaRange[] = [{ gpa: 0, size: low }];
  if (bytes > low) ranges.push({ gpa: HIGH_RAM_BASE, size: bytes - low });
  return ranges;
}

/** Whether one of the ranges holds all of `size` bytes at `gpa`. */
export function inRam(ram: readonly GpaRange[], gpa: number, size: number): boolean {
  return ram.some((range) => gpa >= range.gpa && gpa + size <= range.gpa + range.size);
}

/** First address above all RAM. */
export function ramEnd(ram: readonly GpaRange[]): number {
  return ram.reduce((end, range) => Math.max(end, range.gpa + range.size), 0);
}
