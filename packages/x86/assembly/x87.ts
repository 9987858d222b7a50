// x87 and MMX: who may use them, pending exceptions, and which function does a micro-op.
import { CR0, FPU_CONTROL, FPU_STATUS, FPU_TAG, UOP_A, UOP_IMM } from "../src/layout";
import {
  OP_CVTPI2PD, OP_CVTPI2PS, OP_EMMS, OP_FARITH_M32, OP_FARITH_ST, OP_FCHS, OP_FCMOV, OP_FCOM_M32, OP_FCOM_ST, OP_FFREE,
  OP_FINCSTP, OP_FLD32, OP_FLD_CONSTANT, OP_FLD_ST, OP_FLDCW, OP_FLDENV, OP_FNCLEX, OP_FNENI, OP_FNINIT, OP_FNSTCW,
  OP_FNSTENV, OP_FNSTSW, OP_FNSTSW_AX, OP_FPREM1, OP_FRNDINT, OP_FRSTOR, OP_FST32, OP_FST_ST, OP_FWAIT, OP_FXAM, OP_FXCH,
  OP_FXTRACT, OP_MMX,
} from "../src/ops/x87";
import { getArithmeticFlags } from "./flags";
import { plainFault, VECTOR_UD } from "./fault";
import { CR0_EM, CR0_MP, CR0_NE, CR0_TS, unsupported } from "./sse-operands";
import { readable, write } from "./tlb";
import { examine, x87Arithmetic, x87Compare, x87Unary } from "./x87-arithmetic";
import { initialise, loadEnvironment, restoreAll, saveAll, setControl, storeEnvironment } from "./x87-environment";
import { mmx } from "./x87-mmx";
import { extract, x87Binary } from "./x87-scale";
import {
  beginX87, finishX87, isEmpty, markEmpty, mayStore, pop, remember, setTop, st, stackFault, storeIndefinite, summarise,
  SUMMARY, top,
} from "./x87-state";
import { loadOntoStack, storeFromStack } from "./x87-transfer";

const NM: u32 = 7;
const MF: u32 = 16;

/** #MF for an exception that an earlier instruction left. Without CR0.NE it would be an interrupt of a PC's controller: not built. */
function noException(): bool {
  if (!(load<u16>(FPU_STATUS) & SUMMARY)) return true;
  return load<u32>(CR0) & CR0_NE ? plainFault(MF) : unsupported();
}

function withoutWaiting(op: i32, uop: u32, address: u64): bool {
  switch (op) {
    case OP_FNINIT: initialise(); return true;
    case OP_FNCLEX: store<u16>(FPU_STATUS, load<u16>(FPU_STATUS) & 0x7f00); return true;
    case OP_FNSTCW: return write<u16>(address, load<u16>(FPU_CONTROL));
    case OP_FNSTSW: return write<u16>(address, load<u16>(FPU_STATUS));
    case OP_FNSTSW_AX: store<u16>(load<u16>(uop, UOP_A), load<u16>(FPU_STATUS)); return true;
    case OP_FNENI: return true;
    case OP_FNSTENV: return storeEnvironment(uop, address);
    default: return saveAll(uop, address);
  }
}

function control(op: i32, uop: u32, address: u64): bool {
  switch (op) {
    case OP_FLDCW: {
      const from = readable(address, 2);
      if (!from) return false;
      setControl(load<u16>(from));
      summarise();
      return true;
    }
    case OP_FLDENV: return loadEnvironment(uop, address);
    case OP_FRSTOR: return restoreAll(uop, address);
    case OP_EMMS: {
      store<u16>(FPU_TAG, 0);
      setTop(0);
      return true;
    }
    default: return true;
  }
}

function exchange(i: u32): void {
  beginX87();
  const noFirst = isEmpty(0);
  const noOther = isEmpty(i);
  if (noFirst || noOther) stackFault(false);
  if (mayStore()) {
    if (noFirst) storeIndefinite(0);
    if (noOther) storeIndefinite(i);
    const value = v128.load(st(0));
    v128.store(st(0), v128.load(st(i)));
    v128.store(st(i), value);
  }
  finishX87();
}

/** FCMOVcc: `how` says register, flags and whether they must be clear. */
function moveConditionally(how: u32): void {
  const i = how & 7;
  if (isEmpty(0) || isEmpty(i)) {
    beginX87();
    stackFault(false);
    if (mayStore()) storeIndefinite(0);
    finishX87();
  } else if (((getArithmeticFlags() & ((how >> 8) & 0xff)) == 0) == ((how >> 16) != 0)) {
    memory.copy(st(0), st(i), 10);
  }
}

/** Does the micro-op; false on a fault. `address` is its memory operand's. */
export function x87(op: i32, uop: u32, address: u64): bool {
  const cr0 = load<u32>(CR0);
  if (op >= OP_MMX || op == OP_EMMS) {
    if (cr0 & CR0_EM) return plainFault(VECTOR_UD);
    if (cr0 & CR0_TS) return plainFault(NM);
    // The conversions from integers to floats in XMM registers ask only where they read an MMX register.
    const isApart = (op == OP_CVTPI2PS || op == OP_CVTPI2PD) && load<u32>(uop, UOP_IMM + 4) != 0;
    if (!isApart && !noException()) return false;
    return op == OP_EMMS ? control(op, uop, address) : mmx(op, uop, address);
  }
  if (op == OP_FWAIT) return (cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS) ? plainFault(NM) : noException();
  if (cr0 & (CR0_EM | CR0_TS)) return plainFault(NM);
  if (op < OP_FLDCW) return withoutWaiting(op, uop, address);
  if (!noException()) return false;
  if (op < OP_FLD32) return control(op, uop, address);
  const imm = load<u32>(uop, UOP_IMM);
  if (op < OP_FARITH_M32) {
    const isStore = op >= OP_FST32;
    if (!(isStore ? storeFromStack(op, uop, address) : loadOntoStack(op, uop, address))) return false;
    remember(uop, address, op != OP_FST_ST && op != OP_FLD_ST && op != OP_FLD_CONSTANT);
    return true;
  }
  if (op < OP_FCHS) {
    if (op == OP_FXAM) examine();
    else if (!(op < OP_FCOM_M32 ? x87Arithmetic(op, uop, address) : x87Compare(op, uop, address))) return false;
    remember(uop, address, op < OP_FCOM_ST && op != OP_FARITH_ST);
    return true;
  }
  if (op <= OP_FRNDINT) x87Unary(op);
  else if (op <= OP_FPREM1) x87Binary(op);
  else if (op == OP_FXTRACT) extract();
  else if (op == OP_FXCH) exchange(imm);
  else if (op == OP_FFREE) {
    beginX87();
    markEmpty(imm & 7);
    pop(imm >> 8);
  } else if (op == OP_FCMOV) moveConditionally(imm);
  else {
    beginX87();
    setTop(op == OP_FINCSTP ? top() + 1 : top() - 1);
  }
  remember(uop, address, false);
  return true;
}
