// Loads and stores of the x87 stack.
import { FPU_STATUS, UOP_IMM } from "../src/layout";
import {
  OP_FILD16, OP_FILD32, OP_FILD64, OP_FIST16, OP_FIST32, OP_FIST64, OP_FLD32, OP_FLD64, OP_FLD80, OP_FLD_CONSTANT,
  OP_FLD_ST, OP_FST32, OP_FST64, OP_FST_ST, OP_FSTP80,
} from "../src/ops/x87";
import { writeBytes } from "./access";
import { propagateNan } from "./soft-arithmetic";
import {
  a, b, copy, DENORMAL, env, FINITE, fromInteger, INEXACT, INVALID, isNan, QUIET_BIT, QUIET_NAN, r, raiseFlag,
  setIndefinite, setZero, SIGNALING_NAN, unpack32, unpack64,
} from "./soft-number";
import { pack32, pack64, pack80, round, toInteger } from "./soft-round";
import { unsupported } from "./sse-operands";
import { readable, write } from "./tlb";
import {
  beginX87, finishX87, isEmpty, loadSt, markFull, mayStore, mayStoreMemory, pop, setTop, st, stackFault, storeIndefinite,
  top,
} from "./x87-state";

const SCRATCH: u32 = <u32>memory.data(16, 16);

/** The significands of FLD's constants with 64 bits more than a register holds, and their exponents. */
function setConstant(which: u32): void {
  r.kind = FINITE;
  r.sign = 0;
  r.denormal = 0;
  switch (which) {
    case 0: fromInteger(r, 1); return;
    case 1: r.high = 0xd49a_784b_cd1b_8afe; r.low = 0x492b_f6ff_4daf_db4c; r.exponent = 1; break;
    case 2: r.high = 0xb8aa_3b29_5c17_f0bb; r.low = 0xbe87_fed0_691d_3e88; r.exponent = 0; break;
    case 3: r.high = 0xc90f_daa2_2168_c234; r.low = 0xc4c6_628b_80dc_1cd1; r.exponent = 1; break;
    case 4: r.high = 0x9a20_9a84_fbcf_f798; r.low = 0x8f89_59ac_0b7c_9178; r.exponent = -2; break;
    case 5: r.high = 0xb172_17f7_d1cf_79ab; r.low = 0xc9e3_b398_03f2_f6af; r.exponent = -1; break;
    default: setZero(r, 0); return;
  }
  round(r, 64, -16382, 16383);
  // A constant is no result: no flags.
  env.raised = 0;
  env.roundedUp = 0;
}

/** A NaN from a shorter format becomes quiet, a denormal is reported. */
function widen(): void {
  copy(r, a);
  if (a.kind == SIGNALING_NAN) {
    raiseFlag(INVALID);
    r.kind = QUIET_NAN;
    r.high |= QUIET_BIT;
  } else if (a.denormal) raiseFlag(DENORMAL);
}

/** Pushes the 10 bytes in SCRATCH: a denormal too where that exception is unmasked, but no NaN that is signaling then. */
function push(): void {
  const full = !isEmpty(7);
  if (full) {
    env.raised = 0;
    stackFault(true);
  }
  if (!(env.raised & ~env.masked & INVALID)) {
    setTop(top() - 1);
    if (full) storeIndefinite(0);
    else {
      memory.copy(st(0), SCRATCH, 10);
      markFull(0);
    }
  }
  finishX87();
}

function memoryBytes(op: i32): u32 {
  switch (op) {
    case OP_FILD16: return 2;
    case OP_FLD32:
    case OP_FILD32: return 4;
    case OP_FLD80: return 10;
    default: return 8;
  }
}

/** OP_FLD32 to OP_FLD_CONSTANT. */
export function loadOntoStack(op: i32, uop: u32, address: u64): bool {
  const imm = load<u32>(uop, UOP_IMM);
  let from: u32 = 0;
  if (op != OP_FLD_ST && op != OP_FLD_CONSTANT) {
    from = readable(address, memoryBytes(op));
    if (!from) return false;
  }
  beginX87();
  switch (op) {
    case OP_FLD32: unpack32(a, load<u32>(from)); widen(); break;
    case OP_FLD64: unpack64(a, load<u64>(from)); widen(); break;
    case OP_FILD16: fromInteger(r, load<i16>(from)); break;
    case OP_FILD32: fromInteger(r, load<i32>(from)); break;
    case OP_FILD64: fromInteger(r, load<i64>(from)); break;
    case OP_FLD_CONSTANT: setConstant(imm); break;
    case OP_FLD_ST: {
      from = st(imm);
      if (isEmpty(imm)) {
        stackFault(false);
        if (mayStore()) {
          setTop(top() - 1);
          storeIndefinite(0);
        }
        finishX87();
        return true;
      }
      break;
    }
    default: break;
  }
  if (op == OP_FLD_ST || op == OP_FLD80) memory.copy(SCRATCH, from, 10);
  else pack80(r, SCRATCH);
  push();
  return true;
}

/** r = ST(0) for a shorter format, with what that raises. */
function narrow(): void {
  if (isEmpty(0)) {
    stackFault(false);
    setIndefinite(r);
    return;
  }
  loadSt(a, 0);
  if (isNan(a)) {
    setZero(b, 0);
    propagateNan();
  } else copy(r, a);
}

function integerOfTop(bits: u32): i64 {
  if (isEmpty(0)) {
    stackFault(false);
    return <i64>-1 << (bits - 1);
  }
  loadSt(a, 0);
  return toInteger(a, bits);
}

/** OP_FST32 to OP_FST_ST. */
export function storeFromStack(op: i32, uop: u32, address: u64): bool {
  const imm = load<u32>(uop, UOP_IMM);
  const statusBefore = load<u16>(FPU_STATUS);
  beginX87();
  if (op == OP_FST_ST) {
    if (isEmpty(0)) {
      stackFault(false);
      if (mayStore()) storeIndefinite(imm & 7);
    } else {
      memory.copy(st(imm & 7), st(0), 10);
      markFull(imm & 7);
    }
    if (mayStore()) pop(imm >> 8);
    finishX87();
    return true;
  }
  let written = true;
  switch (op) {
    case OP_FST32: {
      narrow();
      const value = pack32(r);
      if (mayStoreMemory()) written = write<u32>(address, value);
      break;
    }
    case OP_FST64: {
      narrow();
      const value = pack64(r);
      if (mayStoreMemory()) written = write<u64>(address, value);
      break;
    }
    case OP_FSTP80: {
      if (isEmpty(0)) {
        stackFault(false);
        setIndefinite(r);
        pack80(r, SCRATCH);
      } else memory.copy(SCRATCH, st(0), 10);
      if (mayStore()) written = writeBytes(address, 10, SCRATCH);
      break;
    }
    case OP_FIST16: {
      const value = integerOfTop(16);
      if (mayStore()) written = write<u16>(address, <u16>value);
      break;
    }
    case OP_FIST32: {
      const value = integerOfTop(32);
      if (mayStore()) written = write<u32>(address, <u32>value);
      break;
    }
    case OP_FIST64: {
      const value = integerOfTop(64);
      if (mayStore()) written = write<u64>(address, value);
      break;
    }
    default: return unsupported();
  }
  if (!written) {
    // Nothing of the instruction has happened.
    store<u16>(FPU_STATUS, statusBefore);
    return false;
  }
  if (mayStoreMemory()) pop(imm);
  else env.raised &= ~INEXACT;
  finishX87();
  return true;
}
