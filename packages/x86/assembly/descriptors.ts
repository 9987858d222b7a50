// Descriptors of the GDT and LDT: AMD64 Architecture Programmer's Manual volume 2, chapter 4.
import { GDT_BASE, GDT_LIMIT, LDTR, SEG_BASE, SEG_LIMIT, SEG_RIGHTS, SEG_SELECTOR } from "../src/layout";
import { fault, VECTOR_GP } from "./fault";
import { peeked, peekSystem, pokeSystem } from "./implicit";
import { isLongMode } from "./modes";
import { RIGHTS_ACCESSED, UNUSABLE } from "./rights";

/** The last descriptor that `readDescriptor` read, and its linear address. */
export let descriptor: u64 = 0;
export let descriptorAt: u64 = 0;

/**
 * Reads the descriptor that a selector (not null) names. False on a fault: `vector` with the selector as error code
 * where it lies outside its table, or a page fault.
 */
export function readDescriptor(selector: u32, vector: u32, ext: u32): bool {
  let base: u64;
  let limit: u32;
  if (selector & 4) {
    if (load<u32>(SEG_RIGHTS + LDTR * 4) & UNUSABLE) return fault(vector, (selector & 0xfffc) | ext);
    base = load<u64>(SEG_BASE + LDTR * 8);
    limit = load<u32>(SEG_LIMIT + LDTR * 4);
  } else {
    base = load<u64>(GDT_BASE);
    limit = load<u32>(GDT_LIMIT);
  }
  if ((selector | 7) > limit) return fault(vector, (selector & 0xfffc) | ext);
  descriptorAt = base + (selector & 0xfff8);
  if (!isLongMode()) descriptorAt &= 0xffffffff;
  if (!peekSystem(descriptorAt, 8)) return false;
  descriptor = peeked;
  return true;
}

/** Bits 55:40 of a descriptor without the limit's upper part. */
// @ts-ignore: decorator
@inline
export function rightsOf(raw: u64): u32 {
  return <u32>(raw >> 40) & 0xf0ff;
}

// @ts-ignore: decorator
@inline
export function dplOf(rights: u32): u32 {
  return (rights >> 5) & 3;
}

export function baseOf(raw: u64): u64 {
  return ((raw >> 16) & 0xffffff) | ((raw >> 32) & 0xff000000);
}

/** In bytes, scaled by G. */
export function limitOf(raw: u64): u32 {
  const limit = (<u32>raw & 0xffff) | (<u32>(raw >> 32) & 0xf0000);
  return raw & (1 << 55) ? (limit << 12) | 0xfff : limit;
}

/** Sets the accessed bit of the descriptor that was read last, where it isn't set. */
export function markAccessed(): bool {
  if (rightsOf(descriptor) & RIGHTS_ACCESSED) return true;
  descriptor |= (<u64>1) << 40;
  return pokeSystem(descriptorAt + 5, 1, descriptor >> 40);
}

/** Fills a segment register from a descriptor. */
export function setSegment(segment: u32, selector: u32, raw: u64): void {
  setSegmentParts(segment, selector, baseOf(raw), limitOf(raw), rightsOf(raw));
}

export function setSegmentParts(segment: u32, selector: u32, base: u64, limit: u32, rights: u32): void {
  store<u32>(SEG_SELECTOR + segment * 4, selector);
  store<u64>(SEG_BASE + segment * 8, base);
  store<u32>(SEG_LIMIT + segment * 4, limit);
  store<u32>(SEG_RIGHTS + segment * 4, rights);
}

/** #GP with a selector as error code. Always false. */
export function badSelector(selector: u32): bool {
  return fault(VECTOR_GP, selector & 0xfffc);
}
