// Conversions between integers, singles and doubles. Those to integers round by MXCSR.RC, or towards zero where the name
// has a second T.
import {
  OP_CVTDQ2PD, OP_CVTDQ2PS, OP_CVTPD2PS, OP_CVTPS2DQ, OP_CVTPS2PD, OP_CVTSD2SI32, OP_CVTSD2SI64, OP_CVTSD2SS,
  OP_CVTSI2SD32, OP_CVTSI2SD64, OP_CVTSI2SS32, OP_CVTSI2SS64, OP_CVTSS2SD, OP_CVTSS2SI32, OP_CVTSS2SI64, OP_CVTTPD2DQ,
  OP_CVTTPS2DQ, OP_CVTTSD2SI32, OP_CVTTSD2SI64, OP_CVTTSS2SI32, OP_CVTTSS2SI64,
} from "../src/ops/sse";
import { propagateNan } from "./soft-arithmetic";
import {
  a, b, copy, DENORMAL, DOWN, env, fromInteger, INEXACT, INVALID, isNan, NEAREST, r, raiseFlag, setZero, TOWARDS_ZERO,
  unpack32, unpack64,
} from "./soft-number";
import { pack32, pack64 } from "./soft-round";
import { begin, finish, isOrdinary32, isOrdinary64, quick, RESULT } from "./sse-environment";
import { unsupported } from "./sse-operands";

/** r = a, for another format. */
function moveOperand(): void {
  if (isNan(a)) {
    setZero(b, 0);
    propagateNan();
    return;
  }
  if (a.denormal) raiseFlag(DENORMAL);
  copy(r, a);
}

export function toDouble(bits: u32): u64 {
  if (isOrdinary32(bits)) return reinterpret<u64>(<f64>reinterpret<f32>(bits));
  unpack32(a, bits);
  moveOperand();
  return pack64(r);
}

export function toSingle(bits: u64): u32 {
  if (quick && isOrdinary64(bits)) {
    const single = reinterpret<u32>(<f32>reinterpret<f64>(bits));
    if (isOrdinary32(single) && (single << 1 || bits << 1 == 0)) return single;
  }
  unpack64(a, bits);
  moveOperand();
  return pack32(r);
}

export function integerToSingle(value: i64): u32 {
  if (quick || (value <= 0x100_0000 && value >= -0x100_0000)) return reinterpret<u32>(<f32>value);
  fromInteger(r, value);
  return pack32(r);
}

export function integerToDouble(value: i64): u64 {
  if (quick || <i64><i32>value == value) return reinterpret<u64>(<f64>value);
  fromInteger(r, value);
  return pack64(r);
}

/** The integer of 32 or 64 bits that a double rounds to; the most negative one, and INVALID, where there is none. */
export function toInteger(value: f64, rounding: u32, is64: bool): i64 {
  const whole = rounding == TOWARDS_ZERO ? trunc(value)
    : rounding == NEAREST ? nearest(value) : rounding == DOWN ? floor(value) : ceil(value);
  const limit: f64 = is64 ? 9223372036854775808.0 : 2147483648.0;
  // A NaN is below nothing.
  if (!(whole < limit && whole >= -limit)) {
    raiseFlag(INVALID);
    return is64 ? i64.MIN_VALUE : 0x8000_0000;
  }
  if (whole != value) raiseFlag(INEXACT);
  return <i64>whole;
}

/** Single precision operand: DAZ counts, a denormal is no exception here. */
export function singleOperand(at: u32): f64 {
  const bits = load<u32>(at);
  return env.denormalsAreZero && (bits & 0x7f80_0000) == 0 ? 0 : <f64>reinterpret<f32>(bits);
}

export function doubleOperand(at: u32): f64 {
  const bits = load<u64>(at);
  return env.denormalsAreZero && (bits & 0x7ff0_0000_0000_0000) == 0 ? 0 : reinterpret<f64>(bits);
}

function commit(to: u32, bytes: u32): bool {
  if (!finish()) return false;
  memory.copy(to, RESULT, bytes);
  return true;
}

/** Packed ones with a 128-bit result: OP_CVTPS2PD to OP_CVTTPD2DQ. */
function packed(op: i32, to: u32, from: u32): bool {
  begin();
  switch (op) {
    case OP_CVTPS2PD: {
      const second = toDouble(load<u32>(from, 4));
      store<u64>(RESULT, toDouble(load<u32>(from)));
      store<u64>(RESULT, second, 8);
      break;
    }
    case OP_CVTPD2PS: {
      store<u64>(RESULT, <u64>toSingle(load<u64>(from)) | (<u64>toSingle(load<u64>(from, 8)) << 32));
      store<u64>(RESULT, 0, 8);
      break;
    }
    case OP_CVTDQ2PS: {
      for (let at: u32 = 0; at < 16; at += 4) store<u32>(RESULT + at, integerToSingle(load<i32>(from + at)));
      break;
    }
    case OP_CVTDQ2PD: {
      const second = <f64>load<i32>(from, 4);
      store<f64>(RESULT, <f64>load<i32>(from));
      store<f64>(RESULT, second, 8);
      break;
    }
    case OP_CVTPS2DQ:
    case OP_CVTTPS2DQ: {
      const rounding = op == OP_CVTTPS2DQ ? TOWARDS_ZERO : env.rounding;
      for (let at: u32 = 0; at < 16; at += 4) store<u32>(RESULT + at, <u32>toInteger(singleOperand(from + at), rounding, false));
      break;
    }
    default: {
      const rounding = op == OP_CVTTPD2DQ ? TOWARDS_ZERO : env.rounding;
      store<u32>(RESULT, <u32>toInteger(doubleOperand(from), rounding, false));
      store<u32>(RESULT, <u32>toInteger(doubleOperand(from + 8), rounding, false), 4);
      store<u64>(RESULT, 0, 8);
    }
  }
  return commit(to, 16);
}

/** To a general register. */
function toGeneral(to: u32, value: i64, is64: bool): bool {
  if (!finish()) return false;
  store<u64>(to, is64 ? value : <u64><u32>value);
  return true;
}

/** OP_CVTPS2PD to OP_CVTTSD2SI64. */
export function convert(op: i32, to: u32, from: u32): bool {
  switch (op) {
    case OP_CVTSS2SD: {
      begin();
      store<u64>(RESULT, toDouble(load<u32>(from)));
      return commit(to, 8);
    }
    case OP_CVTSD2SS: {
      begin();
      store<u32>(RESULT, toSingle(load<u64>(from)));
      return commit(to, 4);
    }
    case OP_CVTSI2SS32: {
      begin();
      store<u32>(RESULT, integerToSingle(load<i32>(from)));
      return commit(to, 4);
    }
    case OP_CVTSI2SS64: {
      begin();
      store<u32>(RESULT, integerToSingle(load<i64>(from)));
      return commit(to, 4);
    }
    case OP_CVTSI2SD32: {
      store<f64>(to, <f64>load<i32>(from));
      return true;
    }
    case OP_CVTSI2SD64: {
      begin();
      store<u64>(RESULT, integerToDouble(load<i64>(from)));
      return commit(to, 8);
    }
    case OP_CVTSS2SI32:
    case OP_CVTTSS2SI32: {
      begin();
      return toGeneral(to, toInteger(singleOperand(from), op == OP_CVTTSS2SI32 ? TOWARDS_ZERO : env.rounding, false), false);
    }
    case OP_CVTSS2SI64:
    case OP_CVTTSS2SI64: {
      begin();
      return toGeneral(to, toInteger(singleOperand(from), op == OP_CVTTSS2SI64 ? TOWARDS_ZERO : env.rounding, true), true);
    }
    case OP_CVTSD2SI32:
    case OP_CVTTSD2SI32: {
      begin();
      return toGeneral(to, toInteger(doubleOperand(from), op == OP_CVTTSD2SI32 ? TOWARDS_ZERO : env.rounding, false), false);
    }
    case OP_CVTSD2SI64:
    case OP_CVTTSD2SI64: {
      begin();
      return toGeneral(to, toInteger(doubleOperand(from), op == OP_CVTTSD2SI64 ? TOWARDS_ZERO : env.rounding, true), true);
    }
    default: return op >= OP_CVTPS2PD && op <= OP_CVTTPD2DQ ? packed(op, to, from) : unsupported();
  }
}
