import { ByteReader } from '../../byte-reader.ts';
import type { SymbolNames } from './names.ts';
import type { TokenTable } from './token-table.ts';

/**
 * How symbol addresses are stored: 32-bit offsets from kallsyms_relative_base; the same, but positive values absolute
 * (per-CPU symbols) and negative ones relative (KALLSYMS_ABSOLUTE_PERCPU, until 6.14); or offsets from their own place.
 */
export type AddressEncoding = 'relative' | 'absolute-percpu' | 'pc-relative';

export interface SymbolAddresses {
  readonly encoding: AddressEncoding;
  /** Low 32 bits of each address, in rising order; see `percpu` for the high ones. */
  readonly low: Uint32Array;
  /** The first so many symbols are per-CPU offsets, with high bits 0; all others have KERNEL_HIGH. */
  readonly percpu: number;
}

/** All of a kernel's addresses are in the highest 2 GiB: their upper half is this. */
export const KERNEL_HIGH = 0xffffffffn;
const HALF = 0x80000000;

/** A run of virtual addresses, low 32 bits, that symbols are expected in. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds kallsyms_offsets: until 6.3 before the names, since then after the token index. A layout is taken when all
 * addresses rise and nearly all lie in the kernel.
 * @param segmentAddress low 32 bits of the segment's virtual address
 * @param kernel where the kernel's segments lie
 */
export function findAddresses(
  segment: Uint8Array,
  segmentAddress: number,
  table: TokenTable,
  names: SymbolNames,
  kernel: AddressRange,
): SymbolAddresses | undefined {
  const reader = new ByteReader(segment);
  const size = names.count * 4;
  const tries: { offsets: number; base: number | undefined }[] = [];
  for (const alignment of [8, 4]) {
    // Before: offsets, alignment, base (8), num_syms.
    const baseBefore = Math.floor((names.countOffset - 8) / alignment) * alignment;
    for (const offsets of [baseBefore - size, baseBefore - size - 4]) tries.push({ offsets, base: baseBefore });
    // After: token index, offsets, alignment, base, or with pc-relative offsets no base.
    const offsetsAfter = Math.ceil(table.end / alignment) * alignment;
    tries.push({ offsets: offsetsAfter, base: Math.ceil((offsetsAfter + size) / 8) * 8 });
    tries.push({ offsets: offsetsAfter, base: undefined });
  }
  for (const { offsets, base } of tries) {
    if (!reader.has(offsets, size)) continue;
    const found =
      base === undefined
        ? pcRelative(reader, offsets, segmentAddress, names.count)
        : relativeToBase(reader, offsets, base, names.count);
    if (found !== undefined && isPlausible(found, kernel)) return found;
  }
  return undefined;
}

function pcRelative(reader: ByteReader, at: number, segmentAddress: number, count: number): SymbolAddresses {
  const low = wordsAt(reader, at, count);
  const start = segmentAddress + at;
  for (let i = 0; i < count; i++) low[i] = start + 4 * i + (low[i] as number);
  return { encoding: 'pc-relative', low, percpu: 0 };
}

function relativeToBase(reader: ByteReader, offsets: number, at: number, count: number): SymbolAddresses | undefined {
  if (!reader.has(at, 8) || reader.u32(at + 4, 'kallsyms_relative_base') !== Number(KERNEL_HIGH)) return undefined;
  const base = reader.u32(at, 'kallsyms_relative_base');
  const low = wordsAt(reader, offsets, count);
  // The last symbol is in the kernel, so its offset is negative exactly where negative means relative.
  const absolutePercpu = (low[count - 1] as number) >= HALF;
  let percpu = 0;
  for (let i = 0; i < count; i++) {
    const offset = low[i] as number;
    if (!absolutePercpu) low[i] = base + offset;
    else if (offset >= HALF) low[i] = base - 1 - (offset | 0);
    else if (percpu++ !== i) return undefined;
  }
  return { encoding: absolutePercpu ? 'absolute-percpu' : 'relative', low, percpu };
}

/** A copy of `count` 32-bit words, as this machine reads them: it is one for x86 or another with the least byte first. */
function wordsAt(reader: ByteReader, at: number, count: number): Uint32Array {
  const bytes = reader.slice(at, count * 4, 'kallsyms_offsets');
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/** Symbols are sorted by address; all but a few absolute ones and the section ends lie in the segments. */
function isPlausible({ low, percpu }: SymbolAddresses, kernel: AddressRange): boolean {
  let inside = 0;
  for (let i = percpu; i < low.length; i++) {
    const address = low[i] as number;
    if (i > percpu && address < (low[i - 1] as number)) return false;
    if (address >= kernel.start && address <= kernel.end) inside++;
  }
  return low.length > percpu && inside / (low.length - percpu) > 0.9;
}
