// What a micro-op's fields name. Registers go by T: reading an i32 register sign-extends where it is widened, writing one
// clears the upper half of the 64-bit register.
import { UOP_A, UOP_B, UOP_BASE, UOP_DISP, UOP_IMM, UOP_INDEX, UOP_SCALE } from "../src/layout";

/** A memory operand's linear address, where base, index and displacement say it all. */
// @ts-ignore: decorator
@inline
export function address(pc: u32): u64 {
  return load<u64>(load<u16>(pc, UOP_BASE)) + (load<u64>(load<u16>(pc, UOP_INDEX)) << load<u8>(pc, UOP_SCALE))
    + load<u64>(pc, UOP_DISP);
}

/** The same without an index. */
// @ts-ignore: decorator
@inline
export function plainAddress(pc: u32): u64 {
  return load<u64>(load<u16>(pc, UOP_BASE)) + load<u64>(pc, UOP_DISP);
}

// @ts-ignore: decorator
@inline
export function getA<T>(pc: u32): T {
  return load<T>(load<u16>(pc, UOP_A));
}

// @ts-ignore: decorator
@inline
export function getB<T>(pc: u32): T {
  return load<T>(load<u16>(pc, UOP_B));
}

// @ts-ignore: decorator
@inline
export function getImmediate<T>(pc: u32): T {
  return load<T>(pc, UOP_IMM);
}

/** Writes a register by its address. */
// @ts-ignore: decorator
@inline
export function put<T>(register: u32, value: T): void {
  // By a mask: the compiler reads a signed i32 sign-extended even where it is told to widen it as u32.
  if (sizeof<T>() == 4) store<u64>(register, <u64>value & 0xffffffff);
  else store<T>(register, value);
}

// @ts-ignore: decorator
@inline
export function putA<T>(pc: u32, value: T): void {
  put<T>(load<u16>(pc, UOP_A), value);
}
