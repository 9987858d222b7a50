// x87 arithmetic and comparisons: 80-bit numbers at the precision and rounding of the control word.
import { FPU_STATUS, UOP_IMM } from "../src/layout";
import {
  OP_FABS, OP_FARITH_M32, OP_FARITH_ST, OP_FCHS, OP_FCOM_M32, OP_FCOM_ST, OP_FCOMI, OP_FRNDINT, OP_FSQRT, OP_FTST,
} from "../src/ops/x87";
import { setArithmeticFlags } from "./flags";
import { add, compare, divide, EQUAL, LESS, multiply, propagateNan, squareRoot, UNORDERED } from "./soft-arithmetic";
import {
  a, b, copy, DENORMAL, FINITE, fromInteger, INFINITE, isNan, Num, r, raiseFlag, setZero, unpack32, unpack64, UNSUPPORTED,
  ZERO,
} from "./soft-number";
import { roundExtended, roundToIntegral } from "./soft-round";
import { readable } from "./tlb";
import {
  beginX87, C0, C1, C2, C3, finishX87, isEmpty, loadSt, mayStore, pop, setConditions, st, stackFault, storeIndefinite,
  storeSt,
} from "./x87-state";

/** A memory operand; false on a fault. */
function loadMemory(n: Num, kind: u32, address: u64): bool {
  const from = readable(address, kind == 1 ? 8 : kind == 2 ? 2 : 4);
  if (!from) return false;
  switch (kind) {
    case 0: unpack32(n, load<u32>(from)); break;
    case 1: unpack64(n, load<u64>(from)); break;
    case 2: fromInteger(n, load<i16>(from)); break;
    default: fromInteger(n, load<i32>(from));
  }
  return true;
}

/** r = a op b (reversed: b op a), not rounded. */
function calculate(operation: u32): void {
  switch (operation) {
    case 0: add(0); break;
    case 1: multiply(); break;
    case 4:
    case 5: add(1); break;
    default: divide();
  }
}

/** Rounds `r` into ST(i), if no exception keeps it out. */
function storeResult(i: u32, pops: u32): void {
  roundExtended(r);
  if (mayStore()) {
    storeSt(i, r);
    pop(pops);
  }
  finishX87();
}

/** OP_FARITH_M32 to OP_FARITH_ST. */
export function x87Arithmetic(op: i32, uop: u32, address: u64): bool {
  const imm = load<u32>(uop, UOP_IMM);
  const operation = imm & 7;
  const isReversed = (operation & 5) == 5;
  const to = op == OP_FARITH_ST ? (imm >> 8) & 7 : 0;
  const other = (imm >> 12) & 7;
  const pops = (imm >> 16) & 3;
  const first = isReversed ? b : a;
  const second = isReversed ? a : b;
  if (op != OP_FARITH_ST && !loadMemory(second, op - OP_FARITH_M32, address)) return false;
  beginX87();
  if (isEmpty(to) || (op == OP_FARITH_ST && isEmpty(other))) {
    stackFault(false);
    if (mayStore()) {
      storeIndefinite(to);
      pop(pops);
    }
    finishX87();
    return true;
  }
  loadSt(first, to);
  if (op == OP_FARITH_ST) loadSt(second, other);
  calculate(operation);
  storeResult(to, pops);
  return true;
}

function conditionsOf(order: i32): u32 {
  return order == UNORDERED ? C0 | C2 | C3 : order == EQUAL ? C3 : order == LESS ? C0 : 0;
}

/** OP_FCOM_M32 to OP_FTST. */
export function x87Compare(op: i32, uop: u32, address: u64): bool {
  const imm = load<u32>(uop, UOP_IMM);
  const inRegister = op == OP_FCOM_ST || op == OP_FCOMI;
  if (op == OP_FTST) setZero(b, 0);
  else if (!inRegister && !loadMemory(b, op - OP_FCOM_M32, address)) return false;
  const conditionsBefore = load<u16>(FPU_STATUS) & C1;
  beginX87();
  let order = UNORDERED;
  if (isEmpty(0) || (inRegister && isEmpty(imm & 7))) stackFault(false);
  else {
    loadSt(a, 0);
    if (inRegister) loadSt(b, imm & 7);
    order = compare(((imm >> 20) & 1) == 0);
    // FCOMI and its kin leave C1 alone.
    if (op == OP_FCOMI) store<u16>(FPU_STATUS, load<u16>(FPU_STATUS) | conditionsBefore);
  }
  // The outcome is told even where an unmasked exception keeps the stack as it is: so AMD's processors.
  if (op == OP_FCOMI) setArithmeticFlags(order == UNORDERED ? 0x45 : order == EQUAL ? 0x40 : order == LESS ? 1 : 0);
  else setConditions(conditionsOf(order));
  if (mayStore()) pop((imm >> 16) & 3);
  finishX87();
  return true;
}

/** FXAM: what ST(0) holds. */
export function examine(): void {
  const negative = load<u16>(st(0), 8) & 0x8000 ? C1 : 0;
  if (isEmpty(0)) {
    setConditions(negative | C3 | C0);
    return;
  }
  loadSt(a, 0);
  let found: u32;
  if (a.kind == ZERO) found = C3;
  else if (a.kind == INFINITE) found = C2 | C0;
  else if (a.kind == FINITE) found = a.denormal ? C3 | C2 : C2;
  else found = a.kind == UNSUPPORTED ? 0 : C0;
  setConditions(negative | found);
}

/** OP_FCHS to OP_FRNDINT. */
export function x87Unary(op: i32): void {
  beginX87();
  if (isEmpty(0)) {
    stackFault(false);
    if (mayStore()) storeIndefinite(0);
  } else if (op == OP_FCHS) store<u16>(st(0), load<u16>(st(0), 8) ^ 0x8000, 8);
  else if (op == OP_FABS) store<u16>(st(0), load<u16>(st(0), 8) & 0x7fff, 8);
  else {
    loadSt(a, 0);
    if (op == OP_FSQRT) {
      squareRoot();
      storeResult(0, 0);
      return;
    }
    if (isNan(a)) {
      setZero(b, 0);
      propagateNan();
    } else {
      copy(r, a);
      if (a.denormal) raiseFlag(DENORMAL);
      if (a.kind == FINITE) roundToIntegral(r);
    }
    if (mayStore()) storeSt(0, r);
  }
  finishX87();
}
