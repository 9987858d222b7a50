// Rounding results to a format, and packing them into its bits.
import {
  DOWN, env, FINITE, INEXACT, INFINITE, INVALID, NEAREST, Num, OVERFLOW, raiseFlag, setInfinity, setZero, TOP_BIT,
  UNDERFLOW, UP, ZERO,
} from "./soft-number";

/** What an unmasked overflow or underflow adds to or subtracts from an x87 result's exponent (AMD APM volume 1, 6.8). */
const X87_BIAS_ADJUST: i32 = 24576;

/** Does what is cut off make the rest go up? `half`: its highest bit, `rest`: any other. */
function goesUp(sign: u32, odd: bool, half: bool, rest: bool): bool {
  switch (env.rounding) {
    case NEAREST: return half && (rest || odd);
    case DOWN: return sign != 0;
    case UP: return sign == 0;
    default: return false;
  }
}

/** Shifts the significand right; what falls out leaves its trace in the lowest bit. */
export function shiftRightSticky(n: Num, by: u32): void {
  if (by == 0) return;
  if (by >= 128) {
    n.low = n.high | n.low ? 1 : 0;
    n.high = 0;
  } else if (by >= 64) {
    const lost = n.low | (by > 64 ? n.high << (128 - by) : 0);
    n.low = (by == 64 ? n.high : n.high >> (by - 64)) | (lost ? 1 : 0);
    n.high = 0;
  } else {
    const lost = n.low << (64 - by);
    n.low = (n.low >> by) | (n.high << (64 - by)) | (lost ? 1 : 0);
    n.high >>= by;
  }
}

/** Cuts the significand to its upper 64 − `drop` bits. True where that is inexact. */
function cut(n: Num, drop: u32): bool {
  let half: bool;
  let rest: bool;
  if (drop == 0) {
    half = n.low >> 63 != 0;
    rest = n.low << 1 != 0;
  } else {
    const below: u64 = (<u64>1 << drop) - 1;
    half = ((n.high >> (drop - 1)) & 1) != 0;
    rest = ((n.high & (below >> 1)) | n.low) != 0;
    n.high &= ~below;
  }
  n.low = 0;
  env.roundedUp = 0;
  if (!half && !rest) return false;
  if (goesUp(n.sign, ((n.high >> drop) & 1) != 0, half, rest)) {
    env.roundedUp = 1;
    n.high += <u64>1 << drop;
    if (n.high == 0) {
      n.high = TOP_BIT;
      n.exponent += 1;
    }
  }
  raiseFlag(INEXACT);
  return true;
}

function overflow(n: Num, drop: u32, max: i32): void {
  raiseFlag(OVERFLOW);
  if (!(env.masked & OVERFLOW)) {
    if (!env.x87) return;
    n.exponent -= X87_BIAS_ADJUST;
    if (n.exponent <= max) return;
    // FSCALE reaches beyond that too: then it is infinity, whatever the rounding.
    raiseFlag(INEXACT);
    env.roundedUp = 1;
    setInfinity(n, n.sign);
    return;
  }
  raiseFlag(INEXACT);
  const mode = env.rounding;
  if (mode == NEAREST || mode == (n.sign ? DOWN : UP)) {
    env.roundedUp = 1;
    setInfinity(n, n.sign);
  } else {
    env.roundedUp = 0;
    n.high = ~(((<u64>1) << drop) - 1);
    n.exponent = max;
  }
}

/** Would rounding without a bound on the exponent carry into the next power of two? */
function carries(n: Num, drop: u32): bool {
  const below: u64 = ((<u64>1) << drop) - 1;
  if ((n.high | below) != ~(<u64>0)) return false;
  const half = drop == 0 ? n.low >> 63 != 0 : ((n.high >> (drop - 1)) & 1) != 0;
  const rest = drop == 0 ? n.low << 1 != 0 : ((n.high & (below >> 1)) | n.low) != 0;
  return (half || rest) && goesUp(n.sign, true, half, rest);
}

/**
 * Rounds a FINITE number to `precision` bits and exponents from `min` to `max`, with the flags of that. A denormal
 * result has exponent `min` and bit 63 of `high` clear. Tininess is detected after rounding, as x86 does.
 */
export function round(n: Num, precision: u32, min: i32, max: i32): void {
  const drop = 64 - precision;
  if (n.exponent >= min) {
    cut(n, drop);
    if (n.exponent > max) overflow(n, drop, max);
    return;
  }
  const tiny = n.exponent < min - 1 || !carries(n, drop);
  if (tiny && !(env.masked & UNDERFLOW)) {
    raiseFlag(UNDERFLOW);
    if (!env.x87 || n.exponent + X87_BIAS_ADJUST >= min) {
      cut(n, drop);
      if (env.x87) n.exponent += X87_BIAS_ADJUST;
      return;
    }
    // FSCALE reaches beyond that too: then it is zero, whatever the rounding.
    raiseFlag(INEXACT);
    env.roundedUp = 0;
    setZero(n, n.sign);
    return;
  }
  if (tiny && env.flushToZero) {
    raiseFlag(UNDERFLOW | INEXACT);
    setZero(n, n.sign);
    return;
  }
  shiftRightSticky(n, min - n.exponent);
  n.exponent = min;
  if (cut(n, drop) && tiny) raiseFlag(UNDERFLOW);
  if (n.high == 0) n.kind = ZERO;
}

/** Bits of a single. A NaN loses the payload's lower part. */
export function pack32(n: Num): u32 {
  const sign = n.sign << 31;
  if (n.kind == FINITE) round(n, 24, -126, 127);
  if (n.kind == ZERO) return sign;
  if (n.kind == INFINITE) return sign | 0x7f80_0000;
  const fraction = <u32>(n.high >> 40) & 0x7f_ffff;
  if (n.kind != FINITE) return sign | 0x7f80_0000 | fraction;
  return sign | (n.high & TOP_BIT ? (n.exponent + 127) << 23 : 0) | fraction;
}

/** Bits of a double. */
export function pack64(n: Num): u64 {
  const sign = <u64>n.sign << 63;
  if (n.kind == FINITE) round(n, 53, -1022, 1023);
  if (n.kind == ZERO) return sign;
  if (n.kind == INFINITE) return sign | 0x7ff0_0000_0000_0000;
  const fraction = (n.high >> 11) & 0xf_ffff_ffff_ffff;
  if (n.kind != FINITE) return sign | 0x7ff0_0000_0000_0000 | fraction;
  return sign | (n.high & TOP_BIT ? <u64>(n.exponent + 1023) << 52 : 0) | fraction;
}

/** Stores 10 bytes at host address `at`, of a number that is rounded already (or a NaN). */
export function pack80(n: Num, at: u32): void {
  let head: u32 = 0x7fff;
  let high: u64 = n.high;
  if (n.kind == ZERO) {
    head = 0;
    high = 0;
  } else if (n.kind == INFINITE) high = TOP_BIT;
  else if (n.kind == FINITE) head = high & TOP_BIT ? n.exponent + 16383 : 0;
  store<u64>(at, high);
  store<u16>(at, head | (n.sign << 15), 8);
}

/** An x87 result, rounded to the precision in force. */
export function roundExtended(n: Num): void {
  if (n.kind == FINITE) round(n, env.precision, -16382, 16383);
}

/** Rounds a FINITE number to an integral value. False where that was exact. */
export function roundToIntegral(n: Num): bool {
  env.roundedUp = 0;
  if (n.exponent >= 63) return false;
  const drop = 63 - n.exponent;
  if (drop < 64) return cut(n, drop);
  // Below 1/2, or from there to 1 where nothing remains.
  const half = drop == 64;
  const rest = half ? n.high << 1 != 0 : true;
  raiseFlag(INEXACT);
  if (goesUp(n.sign, false, half, rest)) {
    env.roundedUp = 1;
    n.high = TOP_BIT;
    n.exponent = 0;
  } else setZero(n, n.sign);
  return true;
}

/** The integer of `bits` bits that a number rounds to; the most negative one, and INVALID alone, where there is none. */
export function toInteger(n: Num, bits: u32): i64 {
  const indefinite: i64 = <i64>-1 << (bits - 1);
  if (n.kind == ZERO) return 0;
  const before = env.raised;
  if (n.kind == FINITE && n.exponent < 64) {
    roundToIntegral(n);
    if (n.kind == ZERO) return 0;
    if (n.exponent < 63) {
      const magnitude = <i64>(n.high >> (63 - n.exponent));
      const value = n.sign ? -magnitude : magnitude;
      if ((value << (64 - bits)) >> (64 - bits) == value) return value;
    } else if (n.exponent == 63 && bits == 64 && n.sign && n.high == TOP_BIT) return indefinite;
  }
  env.raised = before | INVALID;
  env.roundedUp = 0;
  return indefinite;
}
