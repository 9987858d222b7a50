import type { Evidence } from '@unpin/policy';
import type { Btf } from '../kernel/btf.ts';
import { SECTION_EXECUTE, SECTION_WRITE } from '../kernel/elf.ts';
import type { SymbolTable } from '../kernel/kallsyms.ts';
import type { KernelImage } from '../kernel/vmlinux.ts';
import { findBytes } from './find-bytes.ts';
import type { Instructions } from './instructions.ts';

/** What signals are looked for in. */
export interface SignalInput {
  readonly kernel: KernelImage;
  /** undefined where the kernel has no kallsyms of a known shape. */
  readonly symbols: SymbolTable | undefined;
  readonly btf: Btf | undefined;
  readonly instructions: Instructions;
  readonly commandLine: string | undefined;
}

/** Bytes that may be code: where they lie in memory and in the image. */
export interface CodeRegion {
  readonly vaddr: bigint;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A place in code: the region, and the offset in its bytes. */
export interface CodeSite {
  readonly region: CodeRegion;
  readonly at: number;
}

/** A bound against images made of nothing but one pattern; no real kernel comes near it. */
const MOST_MATCHES = 16_384;

/** Offsets at which a pattern of bytes or text occurs, in order. */
export function occurrences(bytes: Uint8Array, pattern: Uint8Array | string): number[] {
  return findBytes(bytes, typeof pattern === 'string' ? Buffer.from(pattern, 'latin1') : pattern, MOST_MATCHES);
}

/**
 * What may be code: the sections that say so. Segments don't: since 7.x the one with .init.text is not marked
 * executable. Where the section table was stripped, any segment may be code.
 */
export function codeRegions({ elf }: KernelImage): readonly CodeRegion[] {
  const executable = elf.sections.filter(({ flags }) => flags & SECTION_EXECUTE);
  return executable.length > 0 ? executable : elf.segments;
}

/** Where a pattern occurs in what may be code. */
export function codeOccurrences(input: SignalInput, pattern: Uint8Array): CodeSite[] {
  return codeRegions(input.kernel).flatMap((region) =>
    occurrences(region.bytes, pattern).map((at) => ({ region, at })),
  );
}

/** Offsets in the image at which a structure begins: in what the kernel may write to, or where there is none, anywhere. */
export function structureOccurrences(input: SignalInput, pattern: Uint8Array): number[] {
  const { image, elf } = input.kernel;
  const writable = elf.sections.filter(({ flags }) => flags & SECTION_WRITE);
  const found = writable.flatMap(({ bytes, offset }) => occurrences(bytes, pattern).map((at) => offset + at));
  return found.length > 0 ? found : occurrences(image, pattern);
}

/** Whether `pattern` lies wholly in `bytes[from, to)`, and where. */
export function findWithin(bytes: Uint8Array, pattern: Uint8Array, from: number, to: number): number | undefined {
  const start = Math.max(0, from);
  const end = Math.max(start, Math.min(to, bytes.length));
  const at = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).indexOf(pattern);
  return at < 0 ? undefined : start + at;
}

/** The last place at which `pattern` lies wholly in `bytes[from, to)`. */
export function findLastWithin(bytes: Uint8Array, pattern: Uint8Array, from: number, to: number): number | undefined {
  const start = Math.max(0, from);
  const end = Math.max(start, Math.min(to, bytes.length));
  const at = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).lastIndexOf(pattern);
  return at < 0 ? undefined : start + at;
}

/** Virtual address of a site. */
export function addressOf({ region, at }: CodeSite): bigint {
  return region.vaddr + BigInt(at);
}

/** The place of a virtual address in what may be code. */
export function siteAt(input: SignalInput, address: bigint): CodeSite | undefined {
  for (const region of codeRegions(input.kernel)) {
    const at = address - region.vaddr;
    if (at >= 0n && at < BigInt(region.bytes.length)) return { region, at: Number(at) };
  }
  return undefined;
}

/** Evidence at a place in code: named by symbol and offset where the kernel has symbols, by file offset else. */
export function codeEvidence(input: SignalInput, signal: string, site: CodeSite, seen: string): Evidence {
  const symbol = input.symbols?.symbolAt(addressOf(site));
  if (symbol !== undefined) return { signal, where: symbol.name, offset: symbol.offset, seen };
  return { signal, where: 'vmlinux', offset: site.region.offset + site.at, seen };
}

/** The first occurrence of a text anywhere in the image, as evidence. */
export function textEvidence(input: SignalInput, signal: string, text: string, seen: string): Evidence | undefined {
  const [at] = findBytes(input.kernel.image, Buffer.from(text, 'latin1'), 1);
  return at === undefined ? undefined : { signal, where: 'vmlinux', offset: at, seen };
}
