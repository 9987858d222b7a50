import { type HostMemory, PAGE_BYTES } from '../port/index.ts';
import { coversRange, type RamLayout, ramParts } from './ram-layout.ts';

/** Copies bytes of RAM out of its backing. RangeError outside RAM. */
export function readRam(layout: RamLayout, memory: HostMemory, gpa: number, length: number): Uint8Array {
  const [first, ...rest] = partsOf(layout, gpa, length);
  if (first === undefined) return new Uint8Array(0);
  if (rest.length === 0) return memory.read(first.offset, first.size);
  const bytes = new Uint8Array(length);
  for (const part of [first, ...rest]) bytes.set(memory.read(part.offset, part.size), part.gpa - gpa);
  return bytes;
}

/** Copies bytes into the backing of RAM. RangeError outside RAM. */
export function writeRam(layout: RamLayout, memory: HostMemory, gpa: number, bytes: Uint8Array): void {
  for (const part of partsOf(layout, gpa, bytes.length))
    memory.write(part.offset, bytes.subarray(part.gpa - gpa, part.gpa - gpa + part.size));
}

/** First page of an address, and first page behind a range's end. */
export function pagesAround(gpa: number, length: number): { readonly start: number; readonly end: number } {
  return { start: Math.floor(gpa / PAGE_BYTES), end: Math.ceil((gpa + length) / PAGE_BYTES) };
}

function partsOf(layout: RamLayout, gpa: number, length: number): ReturnType<typeof ramParts> {
  if (length === 0) return [];
  if (!coversRange(layout, { gpa, size: length }))
    throw new RangeError(`${length} bytes at ${gpa.toString(16)} are not all RAM`);
  return ramParts(layout, { gpa, size: length });
}
