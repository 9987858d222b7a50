import { PAGE_BYTES } from '../../port/guest-memory.ts';
import type { U64 } from '../../port/u64.ts';

const PAGE = BigInt(PAGE_BYTES);

/** As the kernel sees it: modulo 2^64. */
export function toU64(value: U64): bigint {
  return BigInt.asUintN(64, BigInt(value));
}

/** The same bits as a signed 64-bit number: a file offset. */
export function toS64(value: U64): bigint {
  return BigInt.asIntN(64, BigInt(value));
}

export function isWholePages(value: bigint): boolean {
  return value % PAGE === 0n;
}

/** Whether the sum of two unsigned 64-bit values wraps. */
export function wraps(a: bigint, b: bigint): boolean {
  return a + b !== BigInt.asUintN(64, a + b);
}

/** A whole number of pages of an unsigned 64-bit value: below 2^52, exact as a number. */
export function toPages(value: bigint): number {
  return Number(value / PAGE);
}
