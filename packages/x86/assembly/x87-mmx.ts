// MMX: the registers are the significands of the x87's, by physical number. Each instruction marks all of them valid and
// sets TOP to 0; one that writes a register sets its exponent to all ones.
import { FPU_TAG, UOP_A, UOP_B, UOP_IMM } from "../src/layout";
import {
  OP_CVTPI2PD, OP_CVTPI2PS, OP_CVTPS2PI, OP_CVTTPD2PI, OP_CVTTPS2PI, OP_MASKMOVQ, OP_MMX, OP_MMX_HIGH, OP_MMX_LOAD32,
  OP_MMX_LOAD64, OP_MMX_PACKED, OP_MMX_PEXTRW, OP_MMX_PINSRW, OP_MMX_PMOVMSKB, OP_MMX_STORE32, OP_MMX_STORE64,
  OP_MMX_TO_GPR32, OP_MMX_TO_GPR64, OP_MOVDQ2Q, OP_MOVQ2DQ,
} from "../src/ops/x87";
import { env, TOWARDS_ZERO } from "./soft-number";
import { doubleOperand, integerToDouble, integerToSingle, singleOperand, toInteger } from "./sse-convert";
import { begin, finish } from "./sse-environment";
import { integer } from "./sse-integer";
import { source, sseAvailable } from "./sse-operands";
import { finishWrite, updatable, write } from "./tlb";
import { setTop } from "./x87-state";

const LEFT: u32 = <u32>memory.data(16, 16);
const RIGHT: u32 = <u32>memory.data(16, 16);

function enterMmx(): void {
  setTop(0);
  store<u16>(FPU_TAG, 0xff);
}

/** MM register at `to` = `value`. */
function put(to: u32, value: u64): bool {
  store<u64>(to, value);
  store<u16>(to, 0xffff, 8);
  enterMmx();
  return true;
}

/** What leaves all MM registers as they are. */
function done(written: bool): bool {
  if (written) enterMmx();
  return written;
}

function packedInteger(op: i32, to: u32, from: u32, imm: u32): bool {
  const operation = <i32>(imm >> 16);
  v128.store(LEFT, v128.load64_zero(to));
  v128.store(RIGHT, v128.load64_zero(from));
  if (op == OP_MMX_PACKED) {
    store<u64>(LEFT, load<u64>(from), 8);
    v128.store(RIGHT, v128.load(LEFT));
  }
  integer(operation, LEFT, LEFT, RIGHT, imm & 0xff);
  return put(to, load<u64>(op == OP_MMX_HIGH ? LEFT + 8 : LEFT));
}

function maskedStore(linear: u64, value: u32, mask: u32): bool {
  enterMmx();
  const at = updatable(linear, 8);
  if (!at) return false;
  const selected = i8x16.shr_s(v128.load64_zero(mask), 7);
  const merged = v128.bitselect(v128.load64_zero(value), v128.load64_zero(at), selected);
  store<u64>(at, i64x2.extract_lane(merged, 0));
  return finishWrite(at, linear, 8);
}

/** Conversions between packed floats in XMM registers or memory and integers in MMX registers or memory. */
function convertMmx(op: i32, uop: u32, to: u32, from: u32): bool {
  begin();
  switch (op) {
    case OP_CVTPI2PS: {
      const value = <u64>integerToSingle(load<i32>(from)) | (<u64>integerToSingle(load<i32>(from, 4)) << 32);
      if (!finish()) return false;
      store<u64>(to, value);
      // From memory it is none of MMX's business.
      if (!load<u32>(uop, UOP_IMM + 4)) enterMmx();
      return true;
    }
    case OP_CVTPI2PD: {
      const second = integerToDouble(load<i32>(from, 4));
      store<u64>(to, integerToDouble(load<i32>(from)));
      store<u64>(to, second, 8);
      if (!load<u32>(uop, UOP_IMM + 4)) enterMmx();
      return true;
    }
    // AMD's processors are in MMX's state even where these and MASKMOVQ end in an exception.
    case OP_CVTPS2PI:
    case OP_CVTTPS2PI: {
      enterMmx();
      const rounding = op == OP_CVTTPS2PI ? TOWARDS_ZERO : env.rounding;
      const low = <u32>toInteger(singleOperand(from), rounding, false);
      const high = <u32>toInteger(singleOperand(from + 4), rounding, false);
      return finish() && put(to, low | (<u64>high << 32));
    }
    default: {
      enterMmx();
      const rounding = op == OP_CVTTPD2PI ? TOWARDS_ZERO : env.rounding;
      const low = <u32>toInteger(doubleOperand(from), rounding, false);
      const high = <u32>toInteger(doubleOperand(from + 8), rounding, false);
      return finish() && put(to, low | (<u64>high << 32));
    }
  }
}

/** OP_MMX to OP_CVTTPD2PI. */
export function mmx(op: i32, uop: u32, address: u64): bool {
  if (op >= OP_MOVQ2DQ && !sseAvailable()) return false;
  const to: u32 = load<u16>(uop, UOP_A);
  const b: u32 = load<u16>(uop, UOP_B);
  const imm = load<u32>(uop, UOP_IMM);
  switch (op) {
    case OP_MMX_STORE32: return done(write<u32>(address, load<u32>(b)));
    case OP_MMX_STORE64: return done(write<u64>(address, load<u64>(b)));
    case OP_MASKMOVQ: return maskedStore(address, to, b);
    case OP_MMX_TO_GPR32: {
      store<u64>(to, load<u32>(b));
      return done(true);
    }
    case OP_MMX_TO_GPR64: {
      store<u64>(to, load<u64>(b));
      return done(true);
    }
    case OP_MMX_PMOVMSKB: {
      store<u64>(to, i8x16.bitmask(v128.load64_zero(b)));
      return done(true);
    }
    case OP_MMX_PEXTRW: {
      store<u64>(to, load<u16>(b + ((imm & 3) << 1)));
      return done(true);
    }
    case OP_MOVQ2DQ: {
      v128.store(to, v128.load64_zero(b));
      return done(true);
    }
    case OP_MOVDQ2Q: return put(to, load<u64>(b));
    default: break;
  }
  const from = source(uop, address);
  if (!from) return false;
  switch (op) {
    case OP_MMX:
    case OP_MMX_PACKED:
    case OP_MMX_HIGH: return packedInteger(op, to, from, imm);
    case OP_MMX_LOAD32: return put(to, load<u32>(from));
    case OP_MMX_LOAD64: return put(to, load<u64>(from));
    case OP_MMX_PINSRW: {
      store<u16>(to + ((imm & 3) << 1), load<u16>(from));
      return put(to, load<u64>(to));
    }
    default: return convertMmx(op, uop, to, from);
  }
}
