// Memory that an instruction reads or writes beside its operand: descriptor tables, the TSS, stacks.
import { CODE_BITS, REGS, SEG_BASE, SS, STACK_MASK } from "../src/layout";
import { writeAllowed } from "./access";
import { fault, VECTOR_SS } from "./fault";
import { isCanonical } from "./paging";
import { borrowSupervisor, dataTlb, readable, restoreTlb, writable, write } from "./tlb";

/** Address of RSP. */
export const RSP: u32 = REGS + 4 * 8;

/** What the last successful `peek…` or `readStack` found. */
export let peeked: u64 = 0;

/** Reads 1, 2, 4 or 8 bytes with the current privilege's rights, into `peeked`. False on a fault. */
export function peek(linear: u64, size: u32): bool {
  const at = readable(linear, size);
  if (!at) return false;
  if (size == 8) peeked = load<u64>(at);
  else if (size == 4) peeked = load<u32>(at);
  else if (size == 2) peeked = load<u16>(at);
  else peeked = load<u8>(at);
  return true;
}

/** Reads as the processor itself does: with a supervisor's rights whatever CPL is. */
export function peekSystem(linear: u64, size: u32): bool {
  const was = borrowSupervisor();
  const done = peek(linear, size);
  restoreTlb(was);
  return done;
}

/** Writes 1, 2, 4 or 8 bytes with the current rights. */
export function poke(linear: u64, size: u32, value: u64): bool {
  if (size == 8) return write<u64>(linear, value);
  if (size == 4) return write<u32>(linear, <u32>value);
  if (size == 2) return write<u16>(linear, <u16>value);
  return write<u8>(linear, <u8>value);
}

export function pokeSystem(linear: u64, size: u32, value: u64): bool {
  const was = borrowSupervisor();
  const done = poke(linear, size, value);
  restoreTlb(was);
  return done;
}

/** Linear address of a stack offset. */
export function stackLinear(offset: u64): u64 {
  if (load<u32>(CODE_BITS) == 64) return offset;
  return (load<u64>(SEG_BASE + SS * 8) + (offset & load<u64>(STACK_MASK))) & 0xffffffff;
}

/** Reads the item `skip` bytes above the stack's top, into `peeked`. */
export function readStack(skip: u64, size: u32): bool {
  const linear = stackLinear(load<u64>(RSP) + skip);
  if (load<u32>(CODE_BITS) == 64 && !isCanonical(linear)) return fault(VECTOR_SS, 0);
  return peek(linear, size);
}

/** The stack pointer moves by `by` within the stack's width; what lies above it stays. */
export function moveStack(by: u64): void {
  setStackPointer(load<u64>(RSP) + by, load<u64>(STACK_MASK));
}

/** Sets the part of RSP that a stack of this width has. */
export function setStackPointer(value: u64, mask: u64): void {
  // A write of 32 bits clears the upper half, as everywhere.
  if (mask == 0xffff) store<u16>(RSP, <u16>value);
  else store<u64>(RSP, value & mask);
}

/** What `pushItems` pushes, first to last. */
const items: u32 = <u32>memory.data(8 * 8);
let itemCount: u32 = 0;

export function startItems(): void {
  itemCount = 0;
}

export function addItem(value: u64): void {
  store<u64>(items + (itemCount << 3), value);
  itemCount++;
}

export function itemBytes(size: u32): u32 {
  return itemCount * size;
}

/**
 * Pushes the items, `size` bytes each, onto the stack at `base` + (`top` & `mask`). All or nothing: false on a fault,
 * nothing then written. A stack that isn't canonical is #SS with `ext` as error code.
 */
export function pushItems(base: u64, top: u64, mask: u64, size: u32, isLong: bool, ext: u32): bool {
  for (let i: u32 = 1; i <= itemCount; i++) {
    const linear = itemAt(base, top - i * size, mask, isLong);
    if (isLong && !isCanonical(linear)) return fault(VECTOR_SS, ext);
    if (!writable(linear, size) && !writeAllowed(linear, size)) return false;
  }
  for (let i: u32 = 1; i <= itemCount; i++)
    if (!poke(itemAt(base, top - i * size, mask, isLong), size, load<u64>(items + ((i - 1) << 3)))) return false;
  return true;
}

/** The same with a supervisor's rights, where the stack is a more privileged level's. */
export function pushItemsAs(cpl: u32, base: u64, top: u64, mask: u64, size: u32, isLong: bool, ext: u32): bool {
  const was = dataTlb;
  if (cpl != 3) borrowSupervisor();
  const done = pushItems(base, top, mask, size, isLong, ext);
  restoreTlb(was);
  return done;
}

// @ts-ignore: decorator
@inline
function itemAt(base: u64, offset: u64, mask: u64, isLong: bool): u64 {
  return isLong ? offset : (base + (offset & mask)) & 0xffffffff;
}

/** Pushes one value onto the current stack, and moves RSP. */
export function push(value: u64, size: u32): bool {
  startItems();
  addItem(value);
  return pushAll(size);
}

/** Pushes the items onto the current stack, and moves RSP. */
export function pushAll(size: u32): bool {
  const isLong = load<u32>(CODE_BITS) == 64;
  if (!pushItems(load<u64>(SEG_BASE + SS * 8), load<u64>(RSP), load<u64>(STACK_MASK), size, isLong, 0)) return false;
  moveStack(-<u64>itemBytes(size));
  return true;
}
