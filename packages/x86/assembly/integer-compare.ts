// CMP or TEST with the conditional jump behind it, as one: whether that is taken. The comparison counts and faults on its
// own, its flags are kept.
import { UOP_A } from "../src/layout";
import { CC_LOGIC, CC_SUB, setFlags } from "./flags";
import { getA, getB, getImmediate } from "./operands";

// Groups of conditions, each with its negation: E, B, BE, L, LE, S.
export const E = 0;
export const B = 1;
export const BE = 2;
export const L = 3;
export const LE = 4;
export const S = 5;

/** Whether the jump behind `pc` is taken, where `holds` says its group's condition. */
// @ts-ignore: decorator
@inline
function by(pc: u32, holds: bool): bool {
  return <u32>holds != (<u32>load<u8>(pc, 32 + UOP_A) & 1);
}

// @ts-ignore: decorator
@inline
function compare<T>(group: i32, pc: u32, a: T, b: T): bool {
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
function test<T>(group: i32, pc: u32, a: T, b: T): bool {
  const r = <T>(a & b);
  setFlags<T>(CC_LOGIC, r, b);
  return by(pc, group == E ? r == 0 : group == S ? r < 0 : r <= 0);
}

// @ts-ignore: decorator
@inline
export function cmpRR<T>(group: i32, pc: u32): bool {
  return compare<T>(group, pc, getA<T>(pc), getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function cmpRI<T>(group: i32, pc: u32): bool {
  return compare<T>(group, pc, getA<T>(pc), getImmediate<T>(pc));
}

/** Of those with memory, `at` is the operand's host address. */
// @ts-ignore: decorator
@inline
export function cmpRM<T>(group: i32, pc: u32, at: u32): bool {
  return compare<T>(group, pc, getA<T>(pc), load<T>(at));
}

// @ts-ignore: decorator
@inline
export function cmpMR<T>(group: i32, pc: u32, at: u32): bool {
  return compare<T>(group, pc, load<T>(at), getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function cmpMI<T>(group: i32, pc: u32, at: u32): bool {
  return compare<T>(group, pc, load<T>(at), getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
export function testRR<T>(group: i32, pc: u32): bool {
  return test<T>(group, pc, getA<T>(pc), getB<T>(pc));
}

// @ts-ignore: decorator
@inline
export function testRI<T>(group: i32, pc: u32): bool {
  return test<T>(group, pc, getA<T>(pc), getImmediate<T>(pc));
}

// @ts-ignore: decorator
@inline
export function testMI<T>(group: i32, pc: u32, at: u32): bool {
  return test<T>(group, pc, load<T>(at), getImmediate<T>(pc));
}
