// PUSH, POP, PUSHA, POPA, ENTER, LEAVE by any operand size and stack. Sizes are bytes. False: a fault.
import { REGS, STACK_MASK, UOP_IMM } from "../src/layout";
import {
  addItem, moveStack, peek, peeked, poke, push, pushAll, readStack, RSP, setStackPointer, stackLinear, startItems,
} from "./implicit";
import { address, putA } from "./operands";
import { writeAllowed } from "./access";

const RBP = REGS + 5 * 8;

export function popAnyR(pc: u32, size: u32): bool {
  if (!readStack(0, size)) return false;
  moveStack(size);
  if (size == 8) putA<u64>(pc, peeked);
  else if (size == 4) putA<u32>(pc, <u32>peeked);
  else putA<u16>(pc, <u16>peeked);
  return true;
}

/** RSP as base counts after the increment; a fault of the write takes it back. */
export function popAnyM(pc: u32, size: u32): bool {
  if (!readStack(0, size)) return false;
  const value = peeked;
  const before = load<u64>(RSP);
  moveStack(size);
  if (poke(address(pc), size, value)) return true;
  store<u64>(RSP, before);
  return false;
}

export function pushAllRegisters(size: u32): bool {
  const sp = load<u64>(RSP);
  startItems();
  for (let i: u32 = 0; i < 8; i++) addItem(i == 4 ? sp : load<u64>(REGS + (i << 3)));
  return pushAll(size);
}

/** The stack pointer's own image is skipped. */
export function popAllRegisters(size: u32): bool {
  // The first and the last of them say whether all can be read.
  if (!readStack(0, size) || !readStack(7 * size, size)) return false;
  for (let i: u32 = 0; i < 8; i++) {
    const register = REGS + ((7 - i) << 3);
    if (i == 3) continue;
    if (!readStack(i * size, size)) return false;
    if (size == 4) store<u64>(register, peeked);
    else store<u16>(register, <u16>peeked);
  }
  moveStack(8 * size);
  return true;
}

export function leaveAny(size: u32): bool {
  const bp = load<u64>(RBP);
  if (!peek(stackLinear(bp), size)) return false;
  setStackPointer((bp & load<u64>(STACK_MASK)) + size, load<u64>(STACK_MASK));
  if (size == 8) store<u64>(RBP, peeked);
  else if (size == 4) store<u64>(RBP, <u64><u32>peeked);
  else store<u16>(RBP, <u16>peeked);
  return true;
}

/** Everything is pushed before RBP and RSP change; the last byte of the new frame must be writable. */
export function enterFrame(pc: u32, size: u32): bool {
  const mask = load<u64>(STACK_MASK);
  const bytes = load<u32>(pc, UOP_IMM);
  const level = load<u32>(pc, UOP_IMM + 4) & 31;
  const before = load<u64>(RSP);
  const frame = before - size;
  startItems();
  let ok = push(load<u64>(RBP), size);
  if (ok && level > 0) {
    for (let i: u32 = 1; ok && i < level; i++) ok = peek(stackLinear(load<u64>(RBP) - i * size), size) && push(peeked, size);
    ok = ok && push(frame & mask, size);
  }
  const top = load<u64>(RSP) - bytes;
  ok = ok && writeAllowed(stackLinear(top), size);
  if (!ok) {
    store<u64>(RSP, before);
    return false;
  }
  setStackPointer(top, mask);
  if (size == 2) store<u16>(RBP, <u16>frame);
  else store<u64>(RBP, size == 4 ? <u64><u32>frame : frame & mask);
  return true;
}
