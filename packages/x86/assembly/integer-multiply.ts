// MUL, IMUL, DIV, IDIV.
import { REGS, UOP_IMM } from "../src/layout";
import { CF, OF, setFlagBits } from "./flags";
import { plainFault } from "./fault";
import { put } from "./operands";

const RAX = REGS;
const RDX = REGS + 2 * 8;

const VECTOR_DE: u32 = 0;

const MUL: u32 = 4;
const IMUL: u32 = 5;
const DIV: u32 = 6;

/** Upper half of a 64 × 64-bit product; the lower one is a * b. */
export function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >> 32);
  const other = a0 * b1 + (middle & 0xffffffff);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

function multiplyHighSigned(a: i64, b: i64): i64 {
  return <i64>(multiplyHigh(a, b) - (a < 0 ? <u64>b : 0) - (b < 0 ? <u64>a : 0));
}

/** IMUL to the size of its factors; CF and OF where that loses something. ZF, SF and PF by the result. */
// @ts-ignore: decorator
@inline
export function imul<T>(a: T, b: T): T {
  if (sizeof<T>() == 8) {
    const r = <i64>a * <i64>b;
    setFlagBits<i64>(r, multiplyHighSigned(<i64>a, <i64>b) != r >> 63 ? CF | OF : 0);
    return <T>r;
  }
  const wide = <i64>a * <i64>b;
  const r = <T>wide;
  setFlagBits<T>(r, <i64>r != wide ? CF | OF : 0);
  return r;
}

/** One-operand MUL, IMUL, DIV or IDIV of RDX:RAX (AX for bytes) by `value`. False: #DE. */
export function multiply<T>(pc: u32, value: T): bool {
  const kind = load<u32>(pc, UOP_IMM);
  if (sizeof<T>() == 8) return kind < DIV ? multiply64(kind, <u64>value) : divide64(kind, <u64>value);
  const bits: u32 = sizeof<T>() * 8;
  const mask: u64 = <u64>-1 >> (64 - bits);
  if (kind < DIV) {
    const a = load<T>(RAX);
    const wide: u64 = kind == MUL ? (<u64>a & mask) * (<u64>value & mask) : <u64>(<i64>a * <i64>value);
    const low = <T>wide;
    const lost = kind == MUL ? (wide & ~mask) != 0 : <i64>low != <i64>wide;
    setFlagBits<T>(low, lost ? CF | OF : 0);
    if (sizeof<T>() == 1) store<u16>(RAX, <u16>wide);
    else {
      put<T>(RAX, low);
      put<T>(RDX, <T>(wide >> bits));
    }
    return true;
  }
  if (!value) return plainFault(VECTOR_DE);
  let quotient: u64;
  let remainder: u64;
  let dividend: u64;
  if (sizeof<T>() == 1) dividend = load<u16>(RAX);
  else dividend = ((<u64>load<T>(RDX) & mask) << bits) | (<u64>load<T>(RAX) & mask);
  if (kind == DIV) {
    const divisor = <u64>value & mask;
    quotient = dividend / divisor;
    if (quotient > mask) return plainFault(VECTOR_DE);
    remainder = dividend % divisor;
  } else {
    const shift: u64 = 64 - 2 * bits;
    const signed = <i64>(dividend << shift) >> <i64>shift;
    const divisor = <i64>value;
    // The one quotient that doesn't fit 64 bits.
    if (signed == i64.MIN_VALUE && divisor == -1) return plainFault(VECTOR_DE);
    const q = signed / divisor;
    if (q != <i64><T>q) return plainFault(VECTOR_DE);
    quotient = <u64>q;
    remainder = <u64>(signed % divisor);
  }
  if (sizeof<T>() == 1) store<u16>(RAX, <u16>((quotient & 0xff) | (remainder << 8)));
  else {
    put<T>(RAX, <T>quotient);
    put<T>(RDX, <T>remainder);
  }
  return true;
}

function multiply64(kind: u32, value: u64): bool {
  const a = load<u64>(RAX);
  const low = a * value;
  let high: u64;
  let lost: bool;
  if (kind == IMUL) {
    high = <u64>multiplyHighSigned(<i64>a, <i64>value);
    lost = <i64>high != <i64>low >> 63;
  } else {
    high = multiplyHigh(a, value);
    lost = high != 0;
  }
  setFlagBits<i64>(<i64>low, lost ? CF | OF : 0);
  store<u64>(RAX, low);
  store<u64>(RDX, high);
  return true;
}

let remainder128: u64 = 0;

/** high:low / divisor, where high < divisor; the remainder in `remainder128`. */
function divide128(high: u64, low: u64, divisor: u64): u64 {
  if (high == 0) {
    remainder128 = low % divisor;
    return low / divisor;
  }
  // Digit by digit in base 2^32 (Knuth, TAOCP volume 2, 4.3.1, algorithm D).
  const shift = clz(divisor);
  const d = divisor << shift;
  const d1 = d >> 32;
  const d0 = d & 0xffffffff;
  const n2 = shift ? (high << shift) | (low >> (64 - shift)) : high;
  const n10 = low << shift;
  const n1 = n10 >> 32;
  const n0 = n10 & 0xffffffff;
  let q1 = n2 / d1;
  let rest = n2 - q1 * d1;
  while (q1 >> 32 || q1 * d0 > ((rest << 32) | n1)) {
    q1--;
    rest += d1;
    if (rest >> 32) break;
  }
  const n21 = ((n2 << 32) | n1) - q1 * d;
  let q0 = n21 / d1;
  rest = n21 - q0 * d1;
  while (q0 >> 32 || q0 * d0 > ((rest << 32) | n0)) {
    q0--;
    rest += d1;
    if (rest >> 32) break;
  }
  remainder128 = (((n21 << 32) | n0) - q0 * d) >> shift;
  return (q1 << 32) + q0;
}

function divide64(kind: u32, value: u64): bool {
  let high = load<u64>(RDX);
  let low = load<u64>(RAX);
  if (value == 0) return plainFault(VECTOR_DE);
  if (kind == DIV) {
    if (high >= value) return plainFault(VECTOR_DE);
    store<u64>(RAX, divide128(high, low, value));
    store<u64>(RDX, remainder128);
    return true;
  }
  const negative = <i64>high < 0;
  if (negative) {
    high = ~high + u64(low == 0);
    low = -low;
  }
  const divisor = <i64>value < 0 ? -value : value;
  if (high >= divisor) return plainFault(VECTOR_DE);
  const quotient = divide128(high, low, divisor);
  const minus = negative != <i64>value < 0;
  // The magnitude may be 2^63 only where the quotient is negative.
  if (quotient > (minus ? <u64>0x8000000000000000 : <u64>0x7fffffffffffffff)) return plainFault(VECTOR_DE);
  store<u64>(RAX, minus ? -quotient : quotient);
  store<u64>(RDX, negative ? -remainder128 : remainder128);
  return true;
}
