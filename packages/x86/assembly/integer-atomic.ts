// XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B. One core runs at a time: LOCK needs nothing more.
import { BOUNCE, REGS, UOP_A, UOP_B } from "../src/layout";
import { CC_ADD, CC_SUB, getArithmeticFlags, setArithmeticFlags, setFlags, ZF } from "./flags";
import { fault, VECTOR_GP } from "./fault";
import { writeBytes } from "./access";
import { getA, getB, put } from "./operands";
import { finishWrite, updatable } from "./tlb";

const RAX = REGS;
const RCX = REGS + 8;
const RDX = REGS + 16;
const RBX = REGS + 24;

export function xchgR<T>(pc: u32): bool {
  const a = getA<T>(pc);
  const b = getB<T>(pc);
  put<T>(load<u16>(pc, UOP_A), b);
  put<T>(load<u16>(pc, UOP_B), a);
  return true;
}

export function xchgM<T>(pc: u32, linear: u64): bool {
  const at = updatable(linear, sizeof<T>());
  if (!at) return false;
  const old = load<T>(at);
  store<T>(at, getB<T>(pc));
  if (!finishWrite(at, linear, sizeof<T>())) return false;
  put<T>(load<u16>(pc, UOP_B), old);
  return true;
}

export function xaddR<T>(pc: u32): bool {
  const a = getA<T>(pc);
  const b = getB<T>(pc);
  const r = <T>(a + b);
  // Of the same register twice, the sum stays.
  put<T>(load<u16>(pc, UOP_B), a);
  put<T>(load<u16>(pc, UOP_A), r);
  setFlags<T>(CC_ADD, r, b);
  return true;
}

export function xaddM<T>(pc: u32, linear: u64): bool {
  const at = updatable(linear, sizeof<T>());
  if (!at) return false;
  const a = load<T>(at);
  const b = getB<T>(pc);
  const r = <T>(a + b);
  store<T>(at, r);
  if (!finishWrite(at, linear, sizeof<T>())) return false;
  put<T>(load<u16>(pc, UOP_B), a);
  setFlags<T>(CC_ADD, r, b);
  return true;
}

export function cmpxchgR<T>(pc: u32): bool {
  const a = getA<T>(pc);
  const expected = load<T>(RAX);
  if (a == expected) {
    put<T>(load<u16>(pc, UOP_A), getB<T>(pc));
  } else {
    put<T>(RAX, a);
  }
  setFlags<T>(CC_SUB, <T>(expected - a), a);
  return true;
}

/** Memory is written either way, as processors do. */
export function cmpxchgM<T>(pc: u32, linear: u64): bool {
  const at = updatable(linear, sizeof<T>());
  if (!at) return false;
  const a = load<T>(at);
  const expected = load<T>(RAX);
  const same = a == expected;
  if (same) store<T>(at, getB<T>(pc));
  if (!finishWrite(at, linear, sizeof<T>())) return false;
  if (!same) put<T>(RAX, a);
  setFlags<T>(CC_SUB, <T>(expected - a), a);
  return true;
}

function setZero(same: bool): void {
  const flags = getArithmeticFlags() & ~ZF;
  setArithmeticFlags(same ? flags | ZF : flags);
}

export function cmpxchg8b(linear: u64): bool {
  const at = updatable(linear, 8);
  if (!at) return false;
  const old = load<u64>(at);
  const same = old == ((<u64>load<u32>(RDX) << 32) | load<u32>(RAX));
  if (same) store<u64>(at, (<u64>load<u32>(RCX) << 32) | load<u32>(RBX));
  if (!finishWrite(at, linear, 8)) return false;
  if (!same) {
    store<u64>(RAX, old & 0xffffffff);
    store<u64>(RDX, old >> 32);
  }
  setZero(same);
  return true;
}

/** Aligned (#GP where it isn't), so that it never crosses a page. */
export function cmpxchg16b(linear: u64): bool {
  if (linear & 15) return fault(VECTOR_GP, 0);
  const at = updatable(linear, 16);
  if (!at) return false;
  const low = load<u64>(at);
  const high = load<u64>(at, 8);
  const same = low == load<u64>(RAX) && high == load<u64>(RDX);
  if (same) {
    store<u64>(at, load<u64>(RBX));
    store<u64>(at, load<u64>(RCX), 8);
  }
  if (at == BOUNCE && !writeBytes(linear, 16, BOUNCE)) return false;
  if (!same) {
    store<u64>(RAX, low);
    store<u64>(RDX, high);
  }
  setZero(same);
  return true;
}
