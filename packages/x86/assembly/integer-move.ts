// MOV, MOVZX, MOVSX, and the 64-bit stack. A false answer is a fault.
import { REGS } from "../src/layout";
import { address, getB, getImmediate, plainAddress, put, putA } from "./operands";
import { readable, write } from "./tlb";
import { UOP_A } from "../src/layout";

export const RSP = REGS + 4 * 8;
export const RBP = REGS + 5 * 8;

// @ts-ignore: decorator
@inline
export function movRM<T>(pc: u32, linear: u64): bool {
  const at = readable(linear, sizeof<T>());
  if (!at) return false;
  putA<T>(pc, load<T>(at));
  return true;
}

// @ts-ignore: decorator
@inline
export function movMR<T>(pc: u32, linear: u64): bool {
  return write<T>(linear, getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function movMI<T>(pc: u32): bool {
  return write<T>(address(pc), getImmediate<T>(pc));
}

/** A register From, extended to To: signed types sign-extend. */
// @ts-ignore: decorator
@inline
export function extendR<From, To>(pc: u32): void {
  putA<To>(pc, <To>getB<From>(pc));
}

// @ts-ignore: decorator
@inline
export function extendM<From, To>(pc: u32): bool {
  const at = readable(address(pc), sizeof<From>());
  if (!at) return false;
  putA<To>(pc, <To>load<From>(at));
  return true;
}

/** 64-bit mode, 8 bytes. */
// @ts-ignore: decorator
@inline
export function push(value: u64): bool {
  const sp = load<u64>(RSP) - 8;
  if (!write<u64>(sp, value)) return false;
  store<u64>(RSP, sp);
  return true;
}

// @ts-ignore: decorator
@inline
export function popR(pc: u32): bool {
  const sp = load<u64>(RSP);
  const at = readable(sp, 8);
  if (!at) return false;
  const value = load<u64>(at);
  store<u64>(RSP, sp + 8);
  store<u64>(load<u16>(pc, UOP_A), value);
  return true;
}

/** RSP = RBP, then POP RBP. */
// @ts-ignore: decorator
@inline
export function leave(): bool {
  const bp = load<u64>(RBP);
  const at = readable(bp, 8);
  if (!at) return false;
  store<u64>(RBP, load<u64>(at));
  store<u64>(RSP, bp + 8);
  return true;
}
