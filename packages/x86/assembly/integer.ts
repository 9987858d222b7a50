// Integer micro-ops from OP_COLD on, and those below that are too rare for the run loop.
import { EFLAGS_REST, REGS, UOP_A, UOP_IMM } from "../src/layout";
import {
  OP_ADD, OP_BIT_M, OP_BIT_R, OP_BSWAP, OP_CMOV_16_M, OP_CMOV_16_R, OP_CMPXCHG_16B, OP_CMPXCHG_8B, OP_CMPXCHG_M,
  OP_CMPXCHG_R, OP_COLD, OP_ENTER, OP_FLAGS, OP_IMUL_16_M, OP_IMUL_16_R, OP_IMUL_16_RI, OP_IMUL_MI, OP_LEAVE_ANY, OP_MULTIPLY_M,
  OP_MULTIPLY_R, OP_POPA, OP_POP_ANY_M, OP_POP_ANY_R, OP_PUSHA, OP_PUSH_ANY_I, OP_PUSH_ANY_M, OP_PUSH_ANY_R,
  OP_SCAN_M, OP_SCAN_R, OP_SETCC_M, OP_SHIFT_DOUBLE_M, OP_SHIFT_DOUBLE_R, OP_SHIFT_M, OP_SHIFT_R, OP_SIGN_TO_DX, OP_SX_16_M,
  OP_SX_16_R, OP_UNARY_M, OP_UNARY_R, OP_XADD_M, OP_XADD_R, OP_XCHG_M, OP_XCHG_R, OP_XLAT, OP_ZX_16_M, OP_ZX_16_R, MI, MR, RI,
  RM, RR,
} from "../src/ops/integer";
import { condition, getArithmeticFlags, OF, setArithmeticFlags, setCarry, carry } from "./flags";
import { peek, peeked, push } from "./implicit";
import { aluMI, aluMR, aluRI, aluRM, aluRR, DEC, INC, NEG, NOT, unaryM, unaryR } from "./integer-alu";
import { cmpxchg16b, cmpxchg8b, cmpxchgM, cmpxchgR, xaddM, xaddR, xchgM, xchgR } from "./integer-atomic";
import { bitM, bitR, bswap, scan } from "./integer-bits";
import { imul, multiply } from "./integer-multiply";
import { shiftDoubleM, shiftDoubleR, shiftM, shiftR } from "./integer-shift";
import { enterFrame, leaveAny, popAllRegisters, popAnyM, popAnyR, pushAllRegisters } from "./integer-stack";
import { stringOperation, xlat } from "./integer-string";
import { getB, getImmediate, putA } from "./operands";
import { readable, write } from "./tlb";

export const COLD_FAULT: u32 = 0;
export const COLD_NEXT: u32 = 1;
/** The run ends in front of the micro-op: a REP that isn't through. */
export const COLD_PAUSE: u32 = 2;

/** An ALU operation of any shape on T. */
// @ts-ignore: decorator
@inline
function shaped<T>(kind: i32, shape: i32, pc: u32): u32 {
  if (shape == RR) return aluRR<T>(kind, pc);
  if (shape == RI) return aluRI<T>(kind, pc);
  if (shape == RM) return aluRM<T>(kind, pc);
  return shape == MR ? aluMR<T>(kind, pc) : aluMI<T>(kind, pc);
}

function anyShape<T>(kind: i32, shape: i32, pc: u32): u32 {
  switch (kind) {
    case 0: return shaped<T>(0, shape, pc);
    case 1: return shaped<T>(1, shape, pc);
    case 2: return shaped<T>(2, shape, pc);
    case 3: return shaped<T>(3, shape, pc);
    case 4: return shaped<T>(4, shape, pc);
    case 5: return shaped<T>(5, shape, pc);
    case 6: return shaped<T>(6, shape, pc);
    case 7: return shaped<T>(7, shape, pc);
    default: return shaped<T>(8, shape, pc);
  }
}

/** OP_ADD … OP_TEST in forms that are no cases of the run loop. Answers the next micro-op. */
export function rareAlu(op: i32, pc: u32): u32 {
  const kind = (op - OP_ADD) / 20;
  const form = (op - OP_ADD) % 20;
  switch (form & 3) {
    case 0: return anyShape<i8>(kind, form & ~3, pc);
    case 1: return anyShape<i16>(kind, form & ~3, pc);
    case 2: return anyShape<i32>(kind, form & ~3, pc);
    default: return anyShape<i64>(kind, form & ~3, pc);
  }
}

// @ts-ignore: decorator
@inline
function unaryRegister<T>(pc: u32): bool {
  switch (load<u32>(pc, UOP_IMM)) {
    case INC: unaryR<T>(INC, pc); return true;
    case DEC: unaryR<T>(DEC, pc); return true;
    case NOT: unaryR<T>(NOT, pc); return true;
    default: unaryR<T>(NEG, pc); return true;
  }
}

// @ts-ignore: decorator
@inline
function unaryMemory<T>(pc: u32): bool {
  switch (load<u32>(pc, UOP_IMM)) {
    case INC: return unaryM<T>(INC, pc);
    case DEC: return unaryM<T>(DEC, pc);
    case NOT: return unaryM<T>(NOT, pc);
    default: return unaryM<T>(NEG, pc);
  }
}

function flagOperation(kind: u32): void {
  switch (kind) {
    case 0: store<u8>(REGS + 1, <u8>(getArithmeticFlags() | 2)); break;
    case 1: setArithmeticFlags((getArithmeticFlags() & OF) | load<u8>(REGS + 1)); break;
    case 2: setCarry(0); break;
    case 3: setCarry(1); break;
    case 4: setCarry(carry() ^ 1); break;
    case 5: store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) & ~0x400); break;
    default: store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) | 0x400); break;
  }
}

/** Single micro-ops without sizes. */
function single(op: i32, pc: u32, linear: u64): u32 {
  switch (op) {
    case OP_IMUL_16_R: putA<i16>(pc, imul<i16>(load<i16>(load<u16>(pc, UOP_A)), getB<i16>(pc))); return COLD_NEXT;
    case OP_IMUL_16_M: {
      const at = readable(linear, 2);
      if (!at) return COLD_FAULT;
      putA<i16>(pc, imul<i16>(load<i16>(load<u16>(pc, UOP_A)), load<i16>(at)));
      return COLD_NEXT;
    }
    case OP_IMUL_16_RI: putA<i16>(pc, imul<i16>(getB<i16>(pc), getImmediate<i16>(pc))); return COLD_NEXT;
    case OP_ZX_16_R: putA<u16>(pc, getB<u8>(pc)); return COLD_NEXT;
    case OP_SX_16_R: putA<i16>(pc, getB<i8>(pc)); return COLD_NEXT;
    case OP_ZX_16_M:
    case OP_SX_16_M: {
      const at = readable(linear, 1);
      if (!at) return COLD_FAULT;
      putA<i16>(pc, op == OP_ZX_16_M ? <i16>load<u8>(at) : <i16>load<i8>(at));
      return COLD_NEXT;
    }
    case OP_SETCC_M: return u32(write<u8>(linear, <u8>condition(load<u32>(pc, UOP_IMM))));
    case OP_CMOV_16_R:
      if (condition(load<u32>(pc, UOP_IMM))) putA<u16>(pc, getB<u16>(pc));
      return COLD_NEXT;
    case OP_CMOV_16_M: {
      const at = readable(linear, 2);
      if (!at) return COLD_FAULT;
      if (condition(load<u32>(pc, UOP_IMM))) putA<u16>(pc, load<u16>(at));
      return COLD_NEXT;
    }
    case OP_FLAGS: flagOperation(load<u32>(pc, UOP_IMM)); return COLD_NEXT;
    case OP_CMPXCHG_8B: return u32(cmpxchg8b(linear));
    case OP_CMPXCHG_16B: return u32(cmpxchg16b(linear));
    default: return u32(xlat(pc));
  }
}

// @ts-ignore: decorator
@inline
function multiplyMemory<T>(pc: u32, linear: u64): bool {
  const at = readable(linear, sizeof<T>());
  return at ? multiply<T>(pc, load<T>(at)) : false;
}

// @ts-ignore: decorator
@inline
function imulMemory<T>(pc: u32, linear: u64): bool {
  const at = readable(linear, sizeof<T>());
  if (!at) return false;
  putA<T>(pc, imul<T>(load<T>(at), getImmediate<T>(pc)));
  return true;
}

// @ts-ignore: decorator
@inline
function scanMemory<U>(pc: u32, linear: u64): bool {
  const at = readable(linear, sizeof<U>());
  return at ? scan<U>(pc, load<U>(at)) : false;
}

/** CWD, CDQ, CQO: the sign of RAX's part of T fills that of RDX. */
function signToDx(log2: u32): void {
  const rax: u32 = REGS;
  const rdx: u32 = REGS + 16;
  if (log2 == 1) store<u16>(rdx, <u16>(load<i16>(rax) >> 15));
  else if (log2 == 2) store<u64>(rdx, <u64><u32>(load<i32>(rax) >> 31));
  else store<i64>(rdx, load<i64>(rax) >> 63);
}

/** Families whose operands have a type of their size, unsigned. */
// @ts-ignore: decorator
@inline
function unsigned<U>(family: i32, pc: u32, linear: u64): bool {
  switch (family) {
    case OP_SHIFT_R: return shiftR<U>(pc);
    case OP_SHIFT_M: return shiftM<U>(pc, linear);
    case OP_SHIFT_DOUBLE_R: return shiftDoubleR<U>(pc);
    case OP_SHIFT_DOUBLE_M: return shiftDoubleM<U>(pc, linear);
    case OP_BIT_R: return bitR<U>(pc);
    case OP_BIT_M: return bitM<U>(pc, linear);
    case OP_SCAN_R: return scan<U>(pc, getB<U>(pc));
    case OP_SCAN_M: return scanMemory<U>(pc, linear);
    default: bswap<U>(pc); return true;
  }
}

/** The same, signed. */
// @ts-ignore: decorator
@inline
function signed<T>(family: i32, pc: u32, linear: u64): bool {
  switch (family) {
    case OP_XCHG_R: return xchgR<T>(pc);
    case OP_XCHG_M: return xchgM<T>(pc, linear);
    case OP_XADD_R: return xaddR<T>(pc);
    case OP_XADD_M: return xaddM<T>(pc, linear);
    case OP_CMPXCHG_R: return cmpxchgR<T>(pc);
    case OP_CMPXCHG_M: return cmpxchgM<T>(pc, linear);
    case OP_MULTIPLY_R: return multiply<T>(pc, load<T>(load<u16>(pc, UOP_A)));
    case OP_MULTIPLY_M: return multiplyMemory<T>(pc, linear);
    case OP_IMUL_MI: return imulMemory<T>(pc, linear);
    case OP_UNARY_R: return unaryRegister<T>(pc);
    default: return unaryMemory<T>(pc);
  }
}

function sized(op: i32, family: i32, pc: u32, linear: u64): bool {
  const isUnsigned = (family >= OP_SHIFT_R && family < OP_MULTIPLY_R) || (family >= OP_BIT_R && family <= OP_BSWAP);
  switch (op & 3) {
    case 0: return isUnsigned ? unsigned<u8>(family, pc, linear) : signed<i8>(family, pc, linear);
    case 1: return isUnsigned ? unsigned<u16>(family, pc, linear) : signed<i16>(family, pc, linear);
    case 2: return isUnsigned ? unsigned<u32>(family, pc, linear) : signed<i32>(family, pc, linear);
    default: return isUnsigned ? unsigned<u64>(family, pc, linear) : signed<i64>(family, pc, linear);
  }
}

/** The stack, any mode: OP_PUSH_ANY_R … OP_LEAVE_ANY. */
function stack(op: i32, pc: u32, linear: u64): u32 {
  const size: u32 = 1 << (op & 3);
  switch (op & ~3) {
    case OP_PUSH_ANY_R: return u32(push(load<u64>(load<u16>(pc, UOP_A)), size));
    case OP_PUSH_ANY_I: return u32(push(load<u64>(pc, UOP_IMM), size));
    case OP_PUSH_ANY_M: return u32(peek(linear, size) && push(peeked, size));
    case OP_POP_ANY_R: return u32(popAnyR(pc, size));
    case OP_POP_ANY_M: return u32(popAnyM(pc, size));
    case OP_PUSHA: return u32(pushAllRegisters(size));
    case OP_POPA: return u32(popAllRegisters(size));
    case OP_ENTER: return u32(enterFrame(pc, size));
    default: return u32(leaveAny(size));
  }
}

/** Does a micro-op from OP_COLD on, transfers excepted. Answers COLD_*. */
export function integer(op: i32, pc: u32, linear: u64): u32 {
  const family = op & ~3;
  if (family <= OP_BSWAP && family != (OP_IMUL_16_R & ~3)) {
    if (family == OP_SIGN_TO_DX) {
      signToDx(op & 3);
      return COLD_NEXT;
    }
    return u32(sized(op, family, pc, linear));
  }
  if (family < OP_PUSH_ANY_R) return single(op, pc, linear);
  if (family <= OP_LEAVE_ANY) return stack(op, pc, linear);
  return stringOperation(op, pc);
}
