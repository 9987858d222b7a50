import { type GpaRange, PAGE_BYTES } from '../port/index.ts';

/** One RAM range and where its bytes begin in the backing, which holds the ranges one behind the other. */
export interface RamRange extends GpaRange {
  readonly offset: number;
}

/** Where guest RAM is, and how it lies in its backing. */
export interface RamLayout {
  readonly ranges: readonly RamRange[];
  readonly bytes: number;
  /** First address above all RAM. */
  readonly end: number;
}

/** RangeError for no RAM, ranges that are empty, unaligned, overlapping or beyond 2^52. */
export function ramLayout(ranges: readonly GpaRange[]): RamLayout {
  const sorted = [...ranges].sort((a, b) => a.gpa - b.gpa);
  const placed: RamRange[] = [];
  let bytes = 0;
  let end = 0;
  for (const { gpa, size } of sorted) {
    if (!(size > 0) || gpa % PAGE_BYTES !== 0 || size % PAGE_BYTES !== 0 || gpa + size > 2 ** 52)
      throw new RangeError(`RAM at ${gpa.toString(16)} of ${size} bytes is not whole pages`);
    if (gpa < end) throw new RangeError(`RAM at ${gpa.toString(16)} overlaps the range before it`);
    placed.push({ gpa, size, offset: bytes });
    bytes += size;
    end = gpa + size;
  }
  if (bytes === 0) throw new RangeError('a guest needs RAM');
  return { ranges: placed, bytes, end };
}

/** Whether all of a range is RAM. Adjacent RAM ranges count as one. */
export function coversRange(layout: RamLayout, range: GpaRange): boolean {
  const end = range.gpa + range.size;
  let at = range.gpa;
  if (!(range.size > 0)) return false;
  for (const ram of layout.ranges) if (at >= ram.gpa && at < ram.gpa + ram.size) at = ram.gpa + ram.size;
  return at >= end;
}

/** The parts of a range by RAM range, with their offsets in the backing. What isn't RAM is left out. */
export function ramParts(layout: RamLayout, range: GpaRange): RamRange[] {
  const parts: RamRange[] = [];
  for (const ram of layout.ranges) {
    const gpa = Math.max(range.gpa, ram.gpa);
    const end = Math.min(range.gpa + range.size, ram.gpa + ram.size);
    if (gpa < end) parts.push({ gpa, size: end - gpa, offset: ram.offset + (gpa - ram.gpa) });
  }
  return parts;
}

/** The backing's offset of an address, -1 where there is no RAM. */
export function ramOffset(layout: RamLayout, gpa: number): number {
  for (const ram of layout.ranges) if (gpa >= ram.gpa && gpa < ram.gpa + ram.size) return ram.offset + (gpa - ram.gpa);
  return -1;
}

/** RangeError unless the range is whole pages of RAM: what every conversion must be. */
export function requireWholePages(layout: RamLayout, range: GpaRange): void {
  if (range.gpa % PAGE_BYTES !== 0 || range.size % PAGE_BYTES !== 0 || !coversRange(layout, range))
    throw new RangeError(`${range.size} bytes at ${range.gpa.toString(16)} are not whole pages of RAM`);
}
