// MOV, MOVZX, MOVSX, and the stack of 64-bit mode. They answer the next micro-op.
import { REGS, UOP_A, UOP_IMM } from "../src/layout";
import { writeSlow } from "./access";
import { faulted, jump, jumpTo, linearBehind, mayGoTo } from "./jumps";
import { address, getB, getImmediate, plainAddress, putA } from "./operands";
import { readable, writable } from "./tlb";

export const RSP: u32 = REGS + 4 * 8;
export const RBP: u32 = REGS + 5 * 8;

// @ts-ignore: decorator
@inline
export function movRM<T>(pc: u32, linear: u64): u32 {
  const at = readable(linear, sizeof<T>());
  if (!at) return faulted(pc);
  putA<T>(pc, load<T>(at));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function movMR<T>(pc: u32, linear: u64): u32 {
  return stored<T>(pc, linear, getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function movMI<T>(pc: u32): u32 {
  return stored<T>(pc, address(pc), getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
function stored<T>(pc: u32, linear: u64, value: T): u32 {
  const at = writable(linear, sizeof<T>());
  if (at) store<T>(at, value);
  else if (!writeSlow(linear, sizeof<T>(), <u64>value)) return faulted(pc);
  return pc + 32;
}

/** A register From, extended to To: signed types sign-extend. */
// @ts-ignore: decorator
@inline
export function extendR<From, To>(pc: u32): u32 {
  putA<To>(pc, <To>getB<From>(pc));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function extendM<From, To>(pc: u32): u32 {
  const at = readable(plainAddress(pc), sizeof<From>());
  if (!at) return faulted(pc);
  putA<To>(pc, <To>load<From>(at));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function pushed(pc: u32, value: u64): u32 {
  const sp = load<u64>(RSP) - 8;
  const at = writable(sp, 8);
  if (at) store<u64>(at, value);
  else if (!writeSlow(sp, 8, value)) return faulted(pc);
  store<u64>(RSP, sp);
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function popped(pc: u32): u32 {
  const sp = load<u64>(RSP);
  const at = readable(sp, 8);
  if (!at) return faulted(pc);
  const value = load<u64>(at);
  store<u64>(RSP, sp + 8);
  store<u64>(load<u16>(pc, UOP_A), value);
  return pc + 32;
}

/** RSP = RBP, then POP RBP. */
// @ts-ignore: decorator
@inline
export function leave(pc: u32): u32 {
  const bp = load<u64>(RBP);
  const at = readable(bp, 8);
  if (!at) return faulted(pc);
  store<u64>(RBP, load<u64>(at));
  store<u64>(RSP, bp + 8);
  return pc + 32;
}

// @ts-ignore: decorator
@inline
export function call(pc: u32): u32 {
  const sp = load<u64>(RSP) - 8;
  const at = writable(sp, 8);
  if (at) store<u64>(at, linearBehind(pc));
  else if (!writeSlow(sp, 8, linearBehind(pc))) return faulted(pc);
  store<u64>(RSP, sp);
  return jump(pc);
}

// @ts-ignore: decorator
@inline
export function callTo(pc: u32, linear: u64): u32 {
  if (!mayGoTo(linear)) return faulted(pc);
  const sp = load<u64>(RSP) - 8;
  const at = writable(sp, 8);
  if (at) store<u64>(at, linearBehind(pc));
  else if (!writeSlow(sp, 8, linearBehind(pc))) return faulted(pc);
  store<u64>(RSP, sp);
  return jumpTo(pc, linear);
}

// @ts-ignore: decorator
@inline
export function goTo(pc: u32, linear: u64): u32 {
  return mayGoTo(linear) ? jumpTo(pc, linear) : faulted(pc);
}

/** IMM: bytes of arguments to drop. */
// @ts-ignore: decorator
@inline
export function ret(pc: u32): u32 {
  const sp = load<u64>(RSP);
  const at = readable(sp, 8);
  if (!at) return faulted(pc);
  const linear = load<u64>(at);
  if (!mayGoTo(linear)) return faulted(pc);
  store<u64>(RSP, sp + 8 + load<u32>(pc, UOP_IMM));
  return jumpTo(pc, linear);
}
