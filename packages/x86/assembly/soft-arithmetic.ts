// Addition, multiplication, division, square root and comparison of numbers taken apart. Results go to `r`, not rounded.
import {
  a, b, copy, DENORMAL, DIVIDE_BY_ZERO, DOWN, env, FINITE, INFINITE, INVALID, isNan, Num, QUIET_BIT, QUIET_NAN, r,
  raiseFlag, setIndefinite, setInfinity, setZero, SIGNALING_NAN, TOP_BIT, UNSUPPORTED, ZERO,
} from "./soft-number";
import { shiftRightSticky } from "./soft-round";

/** The upper half of the last product; the remainder of the last quotient. */
let upper: u64 = 0;
let remainder: u64 = 0;

/** The lower half of x × y; the upper one in `upper`. */
function multiply128(x: u64, y: u64): u64 {
  const x0 = x & 0xffff_ffff;
  const x1 = x >> 32;
  const y0 = y & 0xffff_ffff;
  const y1 = y >> 32;
  const low = x0 * y0;
  const middle = x1 * y0 + (low >> 32);
  const other = x0 * y1 + (middle & 0xffff_ffff);
  upper = x1 * y1 + (middle >> 32) + (other >> 32);
  return (other << 32) | (low & 0xffff_ffff);
}

/** One 32-bit digit of a quotient (Knuth's algorithm D): `rest`:`next` by `divisor`, whose top bit is set. */
function digit(rest: u64, next: u64, divisor: u64): u64 {
  const d1 = divisor >> 32;
  const d0 = divisor & 0xffff_ffff;
  let q = rest / d1;
  let left = rest - q * d1;
  while (q >> 32 || q * d0 > ((left << 32) | next)) {
    q -= 1;
    left += d1;
    if (left >> 32) break;
  }
  return q;
}

/** high:low / divisor, for high < divisor with the divisor's top bit set; the rest in `remainder`. */
function divide128(high: u64, low: u64, divisor: u64): u64 {
  const q1 = digit(high, low >> 32, divisor);
  const rest = ((high << 32) | (low >> 32)) - q1 * divisor;
  const q0 = digit(rest, low & 0xffff_ffff, divisor);
  remainder = ((rest << 32) | (low & 0xffff_ffff)) - q0 * divisor;
  return (q1 << 32) + q0;
}

/** A NaN operand's own rule: true where `r` is it. */
export function propagateNan(): bool {
  if (!isNan(a) && !isNan(b)) return false;
  if (a.kind == UNSUPPORTED || b.kind == UNSUPPORTED) {
    raiseFlag(INVALID);
    setIndefinite(r);
    return true;
  }
  if (a.kind == SIGNALING_NAN || b.kind == SIGNALING_NAN) raiseFlag(INVALID);
  let chosen = isNan(a) ? a : b;
  if (env.x87 && isNan(a) && isNan(b)) {
    // The larger significand, of equal ones the positive (AMD APM volume 1, 6.7.2).
    if (b.high > a.high || (b.high == a.high && b.sign < a.sign)) chosen = b;
  }
  copy(r, chosen);
  r.kind = QUIET_NAN;
  r.high |= QUIET_BIT;
  return true;
}

function invalid(): void {
  raiseFlag(INVALID);
  setIndefinite(r);
}

function noteDenormals(): void {
  if (a.denormal | b.denormal) raiseFlag(DENORMAL);
}

/** r = a + b, or a − b where `negate` is 1. */
export function add(negate: u32): void {
  if (propagateNan()) return;
  const signB = b.sign ^ negate;
  if (a.kind == INFINITE && b.kind == INFINITE && a.sign != signB) {
    invalid();
    return;
  }
  noteDenormals();
  if (a.kind == INFINITE || b.kind == INFINITE) {
    setInfinity(r, a.kind == INFINITE ? a.sign : signB);
  } else if (b.kind == ZERO) {
    if (a.kind == ZERO) setZero(r, a.sign == signB ? a.sign : env.rounding == DOWN ? 1 : 0);
    else copy(r, a);
  } else if (a.kind == ZERO) {
    copy(r, b);
    r.sign = signB;
  } else addFinite(signB);
}

function addFinite(signB: u32): void {
  const aIsLarger = a.exponent > b.exponent || (a.exponent == b.exponent && a.high >= b.high);
  const high = aIsLarger ? a.high : b.high;
  const sign = aIsLarger ? a.sign : signB;
  const exponent = aIsLarger ? a.exponent : b.exponent;
  copy(r, aIsLarger ? b : a);
  shiftRightSticky(r, exponent - r.exponent);
  r.exponent = exponent;
  r.sign = sign;
  if (a.sign == signB) {
    r.high += high;
    if (r.high < high) {
      shiftRightSticky(r, 1);
      r.high |= TOP_BIT;
      r.exponent += 1;
    }
    return;
  }
  const borrow: u64 = r.low != 0 ? 1 : 0;
  r.low = 0 - r.low;
  r.high = high - r.high - borrow;
  if ((r.high | r.low) == 0) {
    setZero(r, env.rounding == DOWN ? 1 : 0);
    return;
  }
  if (r.high == 0) {
    r.high = r.low;
    r.low = 0;
    r.exponent -= 64;
  }
  const by = clz(r.high);
  if (by) {
    r.high = (r.high << by) | (r.low >> (64 - by));
    r.low <<= by;
    r.exponent -= <i32>by;
  }
}

/** r = a × b. */
export function multiply(): void {
  if (propagateNan()) return;
  const sign = a.sign ^ b.sign;
  if ((a.kind == INFINITE && b.kind == ZERO) || (a.kind == ZERO && b.kind == INFINITE)) {
    invalid();
    return;
  }
  noteDenormals();
  if (a.kind == INFINITE || b.kind == INFINITE) setInfinity(r, sign);
  else if (a.kind == ZERO || b.kind == ZERO) setZero(r, sign);
  else {
    r.kind = FINITE;
    r.sign = sign;
    r.exponent = a.exponent + b.exponent + 1;
    r.low = multiply128(a.high, b.high);
    r.high = upper;
    if (!(r.high & TOP_BIT)) {
      r.high = (r.high << 1) | (r.low >> 63);
      r.low <<= 1;
      r.exponent -= 1;
    }
  }
}

/** r = a / b. */
export function divide(): void {
  if (propagateNan()) return;
  const sign = a.sign ^ b.sign;
  if (a.kind == b.kind && a.kind != FINITE) {
    invalid();
    return;
  }
  if (b.kind == ZERO && a.kind == FINITE) {
    raiseFlag(DIVIDE_BY_ZERO);
    setInfinity(r, sign);
    return;
  }
  noteDenormals();
  if (a.kind == INFINITE) setInfinity(r, sign);
  else if (b.kind == INFINITE || a.kind == ZERO) setZero(r, sign);
  else {
    r.kind = FINITE;
    r.sign = sign;
    r.exponent = a.exponent - b.exponent;
    if (a.high >= b.high) r.high = divide128(a.high >> 1, a.high << 63, b.high);
    else {
      r.high = divide128(a.high, 0, b.high);
      r.exponent -= 1;
    }
    // What follows the 64 bits: is the rest half a unit or more, and is it exactly that?
    const rest = remainder;
    const half = rest >= b.high - rest && rest != 0;
    const twice = (rest << 1) - b.high;
    r.low = half ? TOP_BIT | (twice ? 1 : 0) : rest ? 1 : 0;
  }
}

/** r = √a. */
export function squareRoot(): void {
  if (isNan(a)) {
    setZero(b, 0);
    propagateNan();
    return;
  }
  if (a.kind == ZERO) {
    setZero(r, a.sign);
    return;
  }
  if (a.sign) {
    invalid();
    return;
  }
  if (a.denormal) raiseFlag(DENORMAL);
  if (a.kind == INFINITE) {
    setInfinity(r, 0);
    return;
  }
  // The radicand is a 128-bit integer with an even exponent, its root one of 64 bits.
  const odd = a.exponent & 1;
  const high = odd ? a.high : a.high >> 1;
  const low = odd ? 0 : a.high << 63;
  r.kind = FINITE;
  r.sign = 0;
  r.exponent = a.exponent >> 1;
  const root = integerRoot(high, low);
  const square = multiply128(root, root);
  const restLow = low - square;
  const restHigh = high - upper - (low < square ? 1 : 0);
  r.high = root;
  r.low = restHigh || restLow > root ? TOP_BIT | 1 : restLow ? 1 : 0;
}

/** The integer part of the root of high:low, which is at least 2^126: an estimate, one Newton step, and what is left of an error. */
function integerRoot(high: u64, low: u64): u64 {
  const estimate = Math.sqrt(<f64>high) * 4294967296.0;
  let root: u64 = estimate >= 18446744073709551615.0 ? ~(<u64>0) : <u64>estimate;
  if (!(root & TOP_BIT)) root = TOP_BIT;
  const quotient = high >= root ? ~(<u64>0) : divide128(high, low, root);
  root = (root >> 1) + (quotient >> 1) + (root & quotient & 1);
  for (;;) {
    const square = multiply128(root, root);
    if (upper < high || (upper == high && square <= low)) break;
    root -= 1;
  }
  while (root != ~(<u64>0)) {
    const square = multiply128(root + 1, root + 1);
    if (upper > high || (upper == high && square > low)) break;
    root += 1;
  }
  return root;
}

export const LESS: i32 = -1;
export const EQUAL: i32 = 0;
export const GREATER: i32 = 1;
export const UNORDERED: i32 = 2;

function compareMagnitudes(x: Num, y: Num): i32 {
  if (x.kind != y.kind) return x.kind < y.kind ? LESS : GREATER;
  if (x.kind != FINITE) return EQUAL;
  if (x.exponent != y.exponent) return x.exponent < y.exponent ? LESS : GREATER;
  return x.high == y.high ? EQUAL : x.high < y.high ? LESS : GREATER;
}

/** How a stands to b. Quiet NaNs are invalid too where `signaling`. */
export function compare(signaling: bool): i32 {
  if (isNan(a) || isNan(b)) {
    if (signaling || a.kind >= SIGNALING_NAN || b.kind >= SIGNALING_NAN) raiseFlag(INVALID);
    return UNORDERED;
  }
  noteDenormals();
  if (a.kind == ZERO && b.kind == ZERO) return EQUAL;
  if (a.sign != b.sign) return a.sign ? LESS : GREATER;
  const magnitudes = compareMagnitudes(a, b);
  return a.sign ? -magnitudes : magnitudes;
}
