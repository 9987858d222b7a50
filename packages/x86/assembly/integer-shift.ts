// Shifts and rotates of any size. Flags after a count of 0 stay; OF after a count above 1, which is undefined, is what
// follows from the last step, as processors do it.
import { UOP_A, UOP_B, UOP_IMM, REGS, ZERO } from "../src/layout";
import { carry, getArithmeticFlags, setArithmeticFlags, setCarryAndOverflow, setFlagBits } from "./flags";
import { address, put } from "./operands";
import { finishWrite, updatable } from "./tlb";

// As encoded.
export const ROL: u32 = 0;
export const ROR: u32 = 1;
export const RCL: u32 = 2;
export const RCR: u32 = 3;
export const SHR: u32 = 5;
export const SAR: u32 = 7;

/** SHL by 1 to size − 1, of a register as U, unsigned. */
// @ts-ignore: decorator
@inline
export function shl<T>(value: T, count: u32): T {
  const bits: u32 = sizeof<T>() * 8;
  const out = <u64>value >> (bits - count);
  const r = <T>(value << <T>count);
  const cf = <u32>out & 1;
  const top = <u32>(<u64>r >> (bits - 1)) & 1;
  setFlagBits<T>(r, cf | ((cf ^ top) << 11));
  return r;
}

/** SHR or SAR by 1 to size − 1: of an unsigned or a signed T. */
// @ts-ignore: decorator
@inline
export function shr<T>(value: T, count: u32): T {
  const cf = <u32>(<u64>value >> (count - 1)) & 1;
  const r = <T>(value >> <T>count);
  const bits: u32 = sizeof<T>() * 8;
  const overflow = isSigned<T>() ? 0 : ((<u32>(<u64>r >> (bits - 1)) ^ <u32>(<u64>r >> (bits - 2))) & 1) << 11;
  setFlagBits<T>(r, cf | overflow);
  return r;
}

/** ROL by 1 to size − 1, of an unsigned T. */
// @ts-ignore: decorator
@inline
export function rol<T>(value: T, count: u32): T {
  const r = rotl<T>(value, <T>count);
  const cf = <u32>r & 1;
  setCarryAndOverflow(cf | ((cf ^ <u32>(<u64>r >> (sizeof<T>() * 8 - 1))) << 11));
  return r;
}

// @ts-ignore: decorator
@inline
export function ror<T>(value: T, count: u32): T {
  const r = rotr<T>(value, <T>count);
  const top = <u32>(<u64>r >> (sizeof<T>() * 8 - 2));
  setCarryAndOverflow((top >> 1) | (((top ^ (top >> 1)) & 1) << 11));
  return r;
}

/** Result of any shift or rotate of the lower `bits` of `value`; a nonzero `count` up to 63. Sets the flags. */
function shifted(kind: u32, value: u64, bits: u32, count: u32): u64 {
  const mask: u64 = <u64>-1 >> (64 - bits);
  const shift: u64 = 64 - bits;
  let r: u64 = 0;
  let cf: u32 = 0;
  if (kind <= ROR) {
    const by = count & (bits - 1);
    const left: u64 = kind == ROL ? by : (bits - by) & (bits - 1);
    r = left ? ((value << left) | (value >> (bits - left))) & mask : value;
    cf = kind == ROL ? <u32>r & 1 : <u32>(r >> (bits - 1)) & 1;
    return rotated(kind, r, bits, cf);
  }
  if (kind <= RCR) {
    const by = bits < 32 ? count % (bits + 1) : count;
    cf = carry();
    r = value;
    // Bits go round through CF, one more than the operand has.
    for (let i: u32 = 0; i < by; i++) {
      if (kind == RCL) {
        const top = <u32>(r >> (bits - 1)) & 1;
        r = ((r << 1) | cf) & mask;
        cf = top;
      } else {
        const low = <u32>r & 1;
        r = (r >> 1) | (<u64>cf << (bits - 1));
        cf = low;
      }
    }
    return rotated(kind, r, bits, cf);
  }
  let spill: u32;
  if (kind == SAR) {
    const wide = <i64>(value << shift) >> <i64>shift;
    cf = <u32>(wide >> (count - 1)) & 1;
    r = <u64>(wide >> count) & mask;
    spill = 0;
  } else if (kind == SHR) {
    cf = <u32>(value >> (count - 1)) & 1;
    r = value >> count;
    // The bit above the last one shifted into.
    spill = <u32>((r >> (bits - 1)) ^ (r >> (bits - 2))) & 1;
  } else {
    cf = count <= bits ? <u32>(value >> (bits - count)) & 1 : 0;
    r = (value << count) & mask;
    spill = cf ^ (<u32>(r >> (bits - 1)) & 1);
  }
  setFlagBits<i64>(<i64>(r << shift) >> <i64>shift, cf | (spill << 11));
  return r;
}

/** Rotates leave ZF, SF, PF and AF. */
function rotated(kind: u32, r: u64, bits: u32, cf: u32): u64 {
  const top = <u32>(r >> (bits - 1)) & 1;
  const next = <u32>(r >> (bits - 2)) & 1;
  const spill = kind & 1 ? top ^ next : cf ^ top;
  setCarryAndOverflow(cf | (spill << 11));
  return r;
}

/** SHLD or SHRD: `count` is nonzero and up to 63; above 16 bits' own size the result is undefined: theirs go on with `filler`. */
function shiftedDouble(right: bool, value: u64, filler: u64, bits: u32, count: u32): u64 {
  const mask: u64 = <u64>-1 >> (64 - bits);
  const shift: u64 = 64 - bits;
  let r: u64;
  let cf: u32;
  if (bits == 16) {
    // Processors shift value:filler:value.
    if (right) {
      const wide = value | (filler << 16) | (value << 32);
      cf = <u32>(wide >> (count - 1)) & 1;
      r = (wide >> count) & mask;
    } else {
      const wide = (value << 32) | (filler << 16) | value;
      cf = <u32>(wide >> (48 - count)) & 1;
      r = ((wide << count) >> 32) & mask;
    }
  } else if (right) {
    cf = <u32>(value >> (count - 1)) & 1;
    r = ((value >> count) | (filler << (bits - count))) & mask;
  } else {
    cf = <u32>(value >> (bits - count)) & 1;
    r = ((value << count) | (filler >> (bits - count))) & mask;
  }
  const top = <u32>(r >> (bits - 1)) & 1;
  const spill = right ? top ^ (<u32>(r >> (bits - 2)) & 1) : cf ^ top;
  setFlagBits<i64>(<i64>(r << shift) >> <i64>shift, cf | (spill << 11));
  return r;
}

// @ts-ignore: decorator
@inline
function countOf(pc: u32, bits: u32): u32 {
  const register = load<u16>(pc, UOP_B);
  const count = register == ZERO ? load<u32>(pc, UOP_IMM + 4) : <u32>load<u8>(register);
  return count & (bits == 64 ? 63 : 31);
}

export function shiftR<U>(pc: u32): bool {
  const count = countOf(pc, sizeof<U>() * 8);
  const register = load<u16>(pc, UOP_A);
  // A 32-bit register's upper half goes even by a count of 0.
  const value = load<U>(register);
  put<U>(register, count ? <U>shifted(load<u32>(pc, UOP_IMM), <u64>value, sizeof<U>() * 8, count) : value);
  return true;
}

export function shiftM<U>(pc: u32, linear: u64): bool {
  const at = updatable(linear, sizeof<U>());
  if (!at) return false;
  const count = countOf(pc, sizeof<U>() * 8);
  if (!count) return finishWrite(at, linear, sizeof<U>());
  // A device that must be asked first gets no second value: flags go back where the write has to be done again.
  const before = getArithmeticFlags();
  store<U>(at, <U>shifted(load<u32>(pc, UOP_IMM), <u64>load<U>(at), sizeof<U>() * 8, count));
  if (finishWrite(at, linear, sizeof<U>())) return true;
  setArithmeticFlags(before);
  return false;
}

// @ts-ignore: decorator
@inline
function doubleCount(pc: u32, bits: u32): u32 {
  const how = load<u32>(pc, UOP_IMM);
  const count = how & 2 ? <u32>load<u8>(REGS + 8) : load<u32>(pc, UOP_IMM + 4);
  return count & (bits == 64 ? 63 : 31);
}

export function shiftDoubleR<U>(pc: u32): bool {
  const bits: u32 = sizeof<U>() * 8;
  const count = doubleCount(pc, bits);
  const register = load<u16>(pc, UOP_A);
  const value = load<U>(register);
  const filler = <u64>load<U>(load<u16>(pc, UOP_B));
  put<U>(
    register,
    count ? <U>shiftedDouble((load<u32>(pc, UOP_IMM) & 1) != 0, <u64>value, filler, bits, count) : value,
  );
  return true;
}

export function shiftDoubleM<U>(pc: u32, linear: u64): bool {
  const bits: u32 = sizeof<U>() * 8;
  const at = updatable(linear, sizeof<U>());
  if (!at) return false;
  const count = doubleCount(pc, bits);
  if (!count) return finishWrite(at, linear, sizeof<U>());
  const before = getArithmeticFlags();
  const filler = <u64>load<U>(load<u16>(pc, UOP_B));
  store<U>(at, <U>shiftedDouble((load<u32>(pc, UOP_IMM) & 1) != 0, <u64>load<U>(at), filler, bits, count));
  if (finishWrite(at, linear, sizeof<U>())) return true;
  setArithmeticFlags(before);
  return false;
}
