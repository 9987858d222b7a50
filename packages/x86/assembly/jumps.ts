// From one micro-op to another by address: linear, or the link that a direct jump keeps.
import {
  CODE_BITS, CODE_GENERATION, CS, EXEC_TLB_ENTRIES, PAGE_BASE, RIP, SEG_BASE, UOP_IMM, UOP_LENGTH, UOP_LINK, UOP_NEXT,
  UOP_ORDINAL,
} from "../src/layout";
import { fetchable } from "./access";
import { decode } from "./host";
import { execTlb } from "./tlb";

/** Instructions of the trace before this micro-op. */
// @ts-ignore: decorator
@inline
export function ordinal(uop: u32): i32 {
  return load<u16>(uop, UOP_ORDINAL);
}

/** Linear address of the instruction of a micro-op, and of the one behind it. */
// @ts-ignore: decorator
@inline
export function linearOf(uop: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT) - load<u8>(uop, UOP_LENGTH);
}

// @ts-ignore: decorator
@inline
export function linearBehind(uop: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT);
}

/** RIP as the guest sees it: the offset in CS. */
export function setRip(linear: u64): void {
  const rip = linear - load<u64>(SEG_BASE + CS * 8);
  store<u64>(RIP, load<u32>(CODE_BITS) == 64 ? rip : rip & 0xffffffff);
}

/** The micro-op at a linear address; 0 on a fault, with RIP there. */
// @ts-ignore: decorator
@inline
export function enter(linear: u64): u32 {
  const entry = execTlb + ((<u32>(linear >> 12) & (EXEC_TLB_ENTRIES - 1)) << 4);
  if (load<u64>(entry) == (linear & ~0xfff)) {
    const uop = load<u32>(load<u32>(entry, 8) + ((<u32>linear & 0xfff) << 2));
    if (uop) {
      store<u64>(PAGE_BASE, linear & ~0xfff);
      return uop;
    }
  }
  return enterSlow(linear);
}

export function enterSlow(linear: u64): u32 {
  const entry = fetchable(linear);
  if (entry == 0) {
    setRip(linear);
    return 0;
  }
  store<u64>(PAGE_BASE, linear & ~0xfff);
  const offset = <u32>linear & 0xfff;
  const uop = load<u32>(load<u32>(entry, 8) + (offset << 2));
  return uop ? uop : decode(load<u32>(entry, 12), offset);
}

/** Where RIP is. */
export function enterAtRip(): u32 {
  const linear = load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP);
  return enterSlow(load<u32>(CODE_BITS) == 64 ? linear : linear & 0xffffffff);
}

/** Where a direct jump leads. The link is kept where it stays in the page: both micro-ops go when the page changes. */
// @ts-ignore: decorator
@inline
export function follow(pc: u32): u32 {
  const link = load<u32>(pc, UOP_LINK);
  return link ? link : followSlow(pc);
}

function followSlow(pc: u32): u32 {
  const target = load<i64>(pc, UOP_IMM);
  const generation = load<u32>(CODE_GENERATION);
  const uop = enter(load<u64>(PAGE_BASE) + target);
  // Decoding may have forgotten everything when the cache was full: a link is only written into a live micro-op.
  if (uop && <u64>target < 4096 && generation == load<u32>(CODE_GENERATION)) store<u32>(pc, uop, UOP_LINK);
  return uop;
}
