// Floating-point numbers taken apart, for arithmetic with every rounding, precision and exception flag. One form holds
// singles, doubles and the x87's extended doubles: SSE's less usual cases and all of the x87 go this way.

/** `kind` of a number. Up to FINITE an order that compares. */
export const ZERO: u32 = 0;
export const FINITE: u32 = 1;
export const INFINITE: u32 = 2;
export const QUIET_NAN: u32 = 3;
export const SIGNALING_NAN: u32 = 4;
/** x87: an encoding that is no number (unnormal, pseudo-infinity, pseudo-NaN). */
export const UNSUPPORTED: u32 = 5;

/** Exception flags, as in MXCSR and the x87 status word. */
export const INVALID: u32 = 1;
export const DENORMAL: u32 = 2;
export const DIVIDE_BY_ZERO: u32 = 4;
export const OVERFLOW: u32 = 8;
export const UNDERFLOW: u32 = 0x10;
export const INEXACT: u32 = 0x20;
/** Those that are found before the operation is done: unmasked, they hide the others. */
export const BEFORE_OPERATION: u32 = INVALID | DENORMAL | DIVIDE_BY_ZERO;

/** Rounding control. */
export const NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const TOWARDS_ZERO: u32 = 3;

export const TOP_BIT: u64 = 0x8000_0000_0000_0000;
/** Of a NaN's significand. */
export const QUIET_BIT: u64 = 0x4000_0000_0000_0000;

/** A number: FINITE is ±(high:low) × 2^(exponent − 127), bit 63 of `high` being set; a NaN's payload is in `high`. */
@unmanaged
export class Num {
  kind: u32;
  sign: u32;
  exponent: i32;
  /** The operand was denormal (and DAZ is off). */
  denormal: u32;
  high: u64;
  low: u64;
}

/** How to calculate, and what came up. */
@unmanaged
export class Environment {
  /** Exception flags raised since the caller cleared them. */
  raised: u32;
  /** Rounding control. */
  rounding: u32;
  /** Exceptions that are masked. */
  masked: u32;
  /** MXCSR.DAZ and MXCSR.FZ. */
  denormalsAreZero: u32;
  flushToZero: u32;
  /** x87: NaN operands are chosen by significand; unmasked overflow and underflow leave a scaled result. */
  x87: u32;
  /** Significant bits of x87 results: 24, 53 or 64. */
  precision: u32;
  /** The last rounding went away from zero: C1. */
  roundedUp: u32;
}

export const env = changetype<Environment>(memory.data(offsetof<Environment>(), 8));
/** Operands and result. */
export const a = changetype<Num>(memory.data(offsetof<Num>(), 8));
export const b = changetype<Num>(memory.data(offsetof<Num>(), 8));
export const r = changetype<Num>(memory.data(offsetof<Num>(), 8));

// @ts-ignore: decorator
@inline
export function raiseFlag(flag: u32): void {
  env.raised |= flag;
}

// @ts-ignore: decorator
@inline
export function isNan(n: Num): bool {
  return n.kind >= QUIET_NAN;
}

/** The QNaN that an invalid operation yields ("real indefinite"). */
export function setIndefinite(n: Num): void {
  n.kind = QUIET_NAN;
  n.sign = 1;
  n.high = TOP_BIT | QUIET_BIT;
  n.low = 0;
}

export function setZero(n: Num, sign: u32): void {
  n.kind = ZERO;
  n.sign = sign;
  n.exponent = 0;
  n.denormal = 0;
  n.high = 0;
  n.low = 0;
}

export function setInfinity(n: Num, sign: u32): void {
  n.kind = INFINITE;
  n.sign = sign;
  n.high = TOP_BIT;
  n.low = 0;
}

export function copy(to: Num, from: Num): void {
  memory.copy(changetype<u32>(to), changetype<u32>(from), offsetof<Num>());
}

/** A denormal's or an integer's significand, not 0: moves its highest bit to the top. */
function normalise(n: Num): void {
  const by = clz(n.high);
  n.high <<= by;
  n.exponent -= <i32>by;
  n.kind = FINITE;
}

function takeFraction(n: Num, exponent: i32, last: i32, bias: i32, fraction: u64): void {
  n.low = 0;
  n.denormal = 0;
  n.high = fraction | TOP_BIT;
  if (exponent == last) {
    n.kind = fraction == 0 ? INFINITE : fraction & QUIET_BIT ? QUIET_NAN : SIGNALING_NAN;
  } else if (exponent != 0) {
    n.kind = FINITE;
    n.exponent = exponent - bias;
  } else if (fraction == 0 || env.denormalsAreZero) setZero(n, n.sign);
  else {
    n.high = fraction;
    n.exponent = 1 - bias;
    n.denormal = 1;
    normalise(n);
  }
}

export function unpack32(n: Num, bits: u32): void {
  n.sign = bits >> 31;
  takeFraction(n, (bits >> 23) & 0xff, 0xff, 127, <u64>(bits & 0x7f_ffff) << 40);
}

export function unpack64(n: Num, bits: u64): void {
  n.sign = <u32>(bits >> 63);
  takeFraction(n, <i32>(bits >> 52) & 0x7ff, 0x7ff, 1023, (bits & 0xf_ffff_ffff_ffff) << 11);
}

/** From 10 bytes at host address `at`. */
export function unpack80(n: Num, at: u32): void {
  const head = load<u16>(at, 8);
  const exponent = <i32>head & 0x7fff;
  const high = load<u64>(at);
  n.sign = head >> 15;
  n.low = 0;
  n.denormal = 0;
  n.high = high;
  if (exponent == 0) {
    if (high == 0) setZero(n, n.sign);
    else {
      n.exponent = -16382;
      n.denormal = 1;
      normalise(n);
    }
  } else if (!(high & TOP_BIT)) n.kind = UNSUPPORTED;
  else if (exponent == 0x7fff) n.kind = high == TOP_BIT ? INFINITE : high & QUIET_BIT ? QUIET_NAN : SIGNALING_NAN;
  else {
    n.kind = FINITE;
    n.exponent = exponent - 16383;
  }
}

export function fromInteger(n: Num, value: i64): void {
  n.low = 0;
  n.denormal = 0;
  n.sign = value < 0 ? 1 : 0;
  if (value == 0) {
    setZero(n, 0);
    return;
  }
  n.high = value < 0 ? <u64>-value : <u64>value;
  n.exponent = 63;
  normalise(n);
}
