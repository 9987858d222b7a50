// Addresses that base, index and displacement don't say alone: segment bases, 32- and 16-bit address sizes.
import { SEG_BASE, UOP_B, UOP_IMM } from "../src/layout";

/** IMM of an OP_EA micro-op: the segment (bits 2:0) and what the offset is masked with. */
export const EA_MASK_16: u32 = 0x10;
export const EA_MASK_32: u32 = 0x20;
/** The sum with the segment's base wraps at 4 GiB (outside 64-bit mode). */
export const EA_WRAP_32: u32 = 0x40;
/** LEA: no segment base. */
export const EA_NO_BASE: u32 = 0x80;

/** The linear address of an OP_EA micro-op whose offset is `offset`. */
export function effectiveAddress(uop: u32, offset: u64): u64 {
  const how = load<u32>(uop, UOP_IMM);
  if (how & EA_MASK_16) offset &= 0xffff;
  else if (how & EA_MASK_32) offset &= 0xffffffff;
  if (how & EA_NO_BASE) return offset;
  const linear = offset + load<u64>(SEG_BASE + ((how & 7) << 3));
  return how & EA_WRAP_32 ? linear & 0xffffffff : linear;
}
