// Addresses that base, index and displacement don't say alone: segment bases, 32- and 16-bit address sizes.
//
// Outside 64-bit mode an operand's offset is compared with its segment's limit, and null segments can't be used. Not modelled:
// the last bytes of an operand that begins inside the limit and ends outside, limits of implicit stack and string
// accesses, and the types of data segments (writing a read-only one, reading execute-only code).
import { SEG_BASE, SEG_LIMIT, SEG_RIGHTS, SS, UOP_IMM } from "../src/layout";
import { RIGHTS_CODE, RIGHTS_CONFORMING, UNUSABLE } from "./rights";

/** IMM of an OP_EA micro-op: the segment (bits 2:0) and what the offset is masked with. */
export const EA_MASK_16: u32 = 0x10;
export const EA_MASK_32: u32 = 0x20;
/** Outside 64-bit mode: the limit holds, and the sum with the segment's base wraps at 4 GiB. */
export const EA_WRAP_32: u32 = 0x40;
/** LEA: no segment base. */
export const EA_NO_BASE: u32 = 0x80;

/** In place of an address outside its segment: no page has it, and `translate` knows what it means. */
export const OUTSIDE_LIMIT: u64 = 0x4000_0000_0000_0000;
export const OUTSIDE_STACK_LIMIT: u64 = 0x5000_0000_0000_0000;

/** The linear address of an OP_EA micro-op whose offset is `offset`. */
export function effectiveAddress(uop: u32, offset: u64): u64 {
  const how = load<u32>(uop, UOP_IMM);
  if (how & EA_MASK_16) offset &= 0xffff;
  else if (how & EA_MASK_32) offset &= 0xffffffff;
  if (how & EA_NO_BASE) return offset;
  const segment = how & 7;
  const linear = offset + load<u64>(SEG_BASE + (segment << 3));
  if (!(how & EA_WRAP_32)) return linear;
  if (!isInside(segment, offset)) return segment == SS ? OUTSIDE_STACK_LIMIT : OUTSIDE_LIMIT;
  return linear & 0xffffffff;
}

// @ts-ignore: decorator
@inline
function isInside(segment: u32, offset: u64): bool {
  const rights = load<u32>(SEG_RIGHTS + (segment << 2));
  if (rights & UNUSABLE) return false;
  const within = offset <= load<u32>(SEG_LIMIT + (segment << 2));
  // Data that expands down lies above its limit.
  return (rights & (RIGHTS_CODE | RIGHTS_CONFORMING)) == RIGHTS_CONFORMING ? !within : within;
}
