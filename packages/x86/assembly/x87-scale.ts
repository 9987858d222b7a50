// The x87 instructions that take numbers apart: FSCALE, FXTRACT and the partial remainders.
import { FPU_STATUS } from "../src/layout";
import { OP_FPREM, OP_FPREM1, OP_FSCALE } from "../src/ops/x87";
import { propagateNan } from "./soft-arithmetic";
import {
  a, b, copy, DENORMAL, DIVIDE_BY_ZERO, FINITE, fromInteger, INFINITE, INVALID, isNan, r, raiseFlag, setIndefinite,
  setInfinity, setZero, ZERO,
} from "./soft-number";
import { round } from "./soft-round";
import {
  beginX87, C0, C1, C2, C3, finishX87, isEmpty, loadSt, mayStore, setConditions, setTop, stackFault, storeIndefinite,
  storeSt, top,
} from "./x87-state";

const MIN: i32 = -16382;
const MAX: i32 = 16383;

function invalid(): void {
  raiseFlag(INVALID);
  setIndefinite(r);
}

/** r = a × 2^(b towards zero). */
function scale(): void {
  if (propagateNan()) return;
  if (b.kind == INFINITE) {
    if (b.sign ? a.kind == INFINITE : a.kind == ZERO) {
      invalid();
      return;
    }
    if (a.denormal) raiseFlag(DENORMAL);
    if (b.sign) setZero(r, a.sign);
    else setInfinity(r, a.sign);
    return;
  }
  if (a.denormal | b.denormal) raiseFlag(DENORMAL);
  copy(r, a);
  if (a.kind != FINITE) return;
  if (b.kind == FINITE && b.exponent >= 0) {
    // Beyond 2^16 everything over- or underflows.
    const by = b.exponent > 16 ? 0x1_0000 : <i32>(b.high >> (63 - b.exponent));
    r.exponent += b.sign ? -by : by;
  }
  round(r, 64, MIN, MAX);
}

/**
 * r = the remainder of a / b, or, where the exponents lie 64 or more apart, a step of 32 to 63 bits towards it: then C2
 * is set and the program repeats. The quotient's low bits are in C0, C3 and C1.
 */
function partialRemainder(toNearest: bool): void {
  if (propagateNan()) return;
  if (a.kind == INFINITE || b.kind == ZERO) {
    invalid();
    return;
  }
  if (a.denormal | b.denormal) raiseFlag(DENORMAL);
  copy(r, a);
  if (mayStore()) setConditions(0);
  if (a.kind == ZERO || b.kind == INFINITE) return;
  const apart = a.exponent - b.exponent;
  if (apart < -1 || (apart < 0 && !toNearest)) {
    round(r, 64, MIN, MAX);
    return;
  }
  let rest = a.high;
  let quotient: u64 = 0;
  let steps = apart;
  const partial = apart >= 64;
  if (partial) steps = 32 + (apart & 31);
  let carry: u64 = 0;
  for (let i = 0; i <= steps; i++) {
    if (i) {
      carry = rest >> 63;
      rest <<= 1;
      quotient <<= 1;
    }
    if (carry || rest >= b.high) {
      rest -= b.high;
      quotient |= 1;
    }
  }
  r.high = rest;
  r.exponent = b.exponent + apart - steps;
  if (apart < 0) {
    // a is between a quarter of b and b: the loop has left rest = a, in units of half b's.
    r.exponent = a.exponent;
    if (a.high > b.high) {
      r.high = b.high - (a.high - b.high);
      r.sign ^= 1;
      quotient = 1;
    }
  } else if (toNearest && !partial && (rest > b.high - rest || (rest == b.high - rest && quotient & 1))) {
    r.high = b.high - rest;
    r.sign ^= 1;
    quotient += 1;
  }
  if (r.high == 0) setZero(r, a.sign);
  else {
    const by = clz(r.high);
    r.high <<= by;
    r.exponent -= <i32>by;
    round(r, 64, MIN, MAX);
  }
  const bits = <u32>quotient;
  if (mayStore()) setConditions(partial ? C2 : (bits & 4 ? C0 : 0) | (bits & 2 ? C3 : 0) | (bits & 1 ? C1 : 0));
}

/** OP_FSCALE, OP_FPREM and OP_FPREM1: ST(0) = ST(0) op ST(1). */
export function x87Binary(op: i32): void {
  beginX87();
  // C0 and C3 stay as they are where there is no quotient.
  if (op != OP_FSCALE) store<u16>(FPU_STATUS, load<u16>(FPU_STATUS) & ~C2);
  if (isEmpty(0) || isEmpty(1)) {
    stackFault(false);
    if (mayStore()) storeIndefinite(0);
  } else {
    loadSt(a, 0);
    loadSt(b, 1);
    if (op == OP_FSCALE) scale();
    else partialRemainder(op == OP_FPREM1);
    if (mayStore()) storeSt(0, r);
  }
  finishX87();
}

/** FXTRACT: ST(0) becomes the exponent, the significand is pushed. */
export function extract(): void {
  beginX87();
  const full = !isEmpty(7);
  if (isEmpty(0) || full) {
    stackFault(full && !isEmpty(0));
    if (mayStore()) {
      storeIndefinite(0);
      setTop(top() - 1);
      storeIndefinite(0);
    }
    finishX87();
    return;
  }
  loadSt(a, 0);
  if (isNan(a)) {
    setZero(b, 0);
    propagateNan();
    copy(b, r);
  } else if (a.kind == FINITE) {
    if (a.denormal) raiseFlag(DENORMAL);
    fromInteger(b, a.exponent);
    copy(r, a);
    r.exponent = 0;
  } else {
    copy(r, a);
    if (a.kind == ZERO) raiseFlag(DIVIDE_BY_ZERO);
    setInfinity(b, a.kind == ZERO ? 1 : 0);
  }
  if (mayStore()) {
    storeSt(0, b);
    setTop(top() - 1);
    storeSt(0, r);
  }
  finishX87();
}
