// CMP or TEST with the conditional jump behind it, as one: how far the micro-op pointer goes on. The comparison counts and
// faults on its own, its flags are kept.
import { UOP_A } from "../src/layout";
import { CC_LOGIC, CC_SUB, setFlags } from "./flags";
import { address, getA, getB, getImmediate } from "./operands";
import { readable } from "./tlb";

// Groups of conditions, each with its negation: E, B, BE, L, LE, S.
export const E = 0;
export const B = 1;
export const BE = 2;
export const L = 3;
export const LE = 4;
export const S = 5;

/** Behind both. */
export const NOT_TAKEN: u32 = 64;
/** The jump's own micro-op, marked (core.ts). */
export const TAKEN: u32 = 32 + 1;
export const FAULT: u32 = 0;

/** Whether the jump behind `pc` is taken, where `holds` says its group's condition. */
// @ts-ignore: decorator
@inline
function by(pc: u32, holds: bool): u32 {
  return <u32>holds != (<u32>load<u8>(pc, 32 + UOP_A) & 1) ? TAKEN : NOT_TAKEN;
}

// @ts-ignore: decorator
@inline
function compare<T>(group: i32, pc: u32, a: T, b: T): u32 {
  setFlags<T>(CC_SUB, <T>(a - b), b);
  if (group == E) return by(pc, a == b);
  if (group == L) return by(pc, a < b);
  if (group == LE) return by(pc, a <= b);
  if (sizeof<T>() == 8) return by(pc, group == B ? <u64>a < <u64>b : <u64>a <= <u64>b);
  // Sign-extended, small ones keep their unsigned order.
  return by(pc, group == B ? <u32>a < <u32>b : <u32>a <= <u32>b);
}

// @ts-ignore: decorator
@inline
function test<T>(group: i32, pc: u32, a: T, b: T): u32 {
  const r = <T>(a & b);
  setFlags<T>(CC_LOGIC, r, b);
  return by(pc, group == E ? r == 0 : group == S ? r < 0 : r <= 0);
}

// @ts-ignore: decorator
@inline
export function cmpRR<T>(group: i32, pc: u32): u32 {
  return compare<T>(group, pc, getA<T>(pc), getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function cmpRI<T>(group: i32, pc: u32): u32 {
  return compare<T>(group, pc, getA<T>(pc), getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
export function cmpRM<T>(group: i32, pc: u32): u32 {
  const at = readable(address(pc), sizeof<T>());
  return at ? compare<T>(group, pc, getA<T>(pc), load<T>(at)) : FAULT;
}

// @ts-ignore: decorator
@inline
export function cmpMR<T>(group: i32, pc: u32): u32 {
  const at = readable(address(pc), sizeof<T>());
  return at ? compare<T>(group, pc, load<T>(at), getB<T>(pc)) : FAULT;
}

// @ts-ignore: decorator
@inline
export function cmpMI<T>(group: i32, pc: u32): u32 {
  const at = readable(address(pc), sizeof<T>());
  return at ? compare<T>(group, pc, load<T>(at), getImmediate<T>(pc)) : FAULT;
}

// @ts-ignore: decorator
@inline
export function testRR<T>(group: i32, pc: u32): u32 {
  return test<T>(group, pc, getA<T>(pc), getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function testRI<T>(group: i32, pc: u32): u32 {
  return test<T>(group, pc, getA<T>(pc), getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
export function testMI<T>(group: i32, pc: u32): u32 {
  const at = readable(address(pc), sizeof<T>());
  return at ? test<T>(group, pc, load<T>(at), getImmediate<T>(pc)) : FAULT;
}
