import { check, failure } from './errno.ts';
import { symbol } from './libc.ts';

/** mmap(2) and madvise(2) constants (asm-generic/mman-common.h, linux/mman.h). */
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MADV_DONTNEED = 4;
export const MADV_REMOVE = 9;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_POPULATE_WRITE = 23;

const mmapC = symbol<
  (address: number, length: number, protection: number, flags: number, fd: number, offset: number) => number
>('mmap', 'intptr', ['intptr', 'size_t', 'int', 'int', 'int', 'int64']);
const munmapC = symbol<(address: number, length: number) => number>('munmap', 'int', ['intptr', 'size_t']);
const mprotectC = symbol<(address: number, length: number, protection: number) => number>('mprotect', 'int', [
  'intptr',
  'size_t',
  'int',
]);
const madviseC = symbol<(address: number, length: number, advice: number) => number>('madvise', 'int', [
  'intptr',
  'size_t',
  'int',
]);
const mincoreC = symbol<(address: number, length: number, to: Uint8Array) => number>('mincore', 'int', [
  'intptr',
  'size_t',
  'void *',
]);

export interface Mapping {
  readonly length: number;
  readonly protection: number;
  readonly flags: number;
  /** -1 for anonymous memory. */
  readonly fd: number;
  readonly offset?: number;
  /** A wish, or with MAP_FIXED a command: what was mapped there is gone. */
  readonly address?: number;
}

/**
 * mmap(2): the address as a number (user addresses are below 2^47, exact). Throws KvmError.
 *
 * Safety: nothing here can be touched by Node until a view of it is made; MAP_FIXED must only cover mappings that the
 * caller made.
 */
export function mapMemory(mapping: Mapping): number {
  const { address = 0, length, protection, flags, fd, offset = 0 } = mapping;
  const at = mmapC()(address, length, protection, flags, fd, offset);
  if (at === -1) throw failure('mmap');
  return at;
}

/** munmap(2). Safety: every view of the range must be detached before, a touch would end the process. */
export function unmapMemory(address: number, length: number): void {
  check('munmap', munmapC()(address, length));
}

/** mprotect(2). Safety: a view of a range without access ends the process when it is touched. */
export function protectMemory(address: number, length: number, protection: number): void {
  check('mprotect', mprotectC()(address, length, protection));
}

/** madvise(2). Throws KvmError. Safety: the range must be the caller's own mapping (DONTNEED and REMOVE lose bytes). */
export function adviseMemory(address: number, length: number, advice: number): void {
  check('madvise', madviseC()(address, length, advice));
}

/** mincore(2): one byte a page of 4096 bytes, bit 0 set where it is resident. Throws KvmError (ENOMEM: not mapped). */
export function residentPages(address: number, length: number): Uint8Array {
  const pages = new Uint8Array(Math.ceil(length / 4096));
  // Safety: the kernel writes one byte a page of the length, rounded up: the buffer's length.
  check('mincore', mincoreC()(address, length, pages));
  return pages;
}
