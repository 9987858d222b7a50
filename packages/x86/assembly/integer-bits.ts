// BT and its kin, BSF, BSR, TZCNT, POPCNT, BSWAP.
import { UOP_A, UOP_B, UOP_IMM, ZERO } from "../src/layout";
import { CF, getArithmeticFlags, setArithmeticFlags, setCarry, ZF } from "./flags";
import { put } from "./operands";
import { finishWrite, readable, updatable } from "./tlb";

const BT: u32 = 0;
const BTS: u32 = 1;
const BTR: u32 = 2;

// @ts-ignore: decorator
@inline
function changed<U>(kind: u32, value: U, bit: U): U {
  if (kind == BTS) return <U>(value | bit);
  if (kind == BTR) return <U>(value & ~bit);
  return <U>(value ^ bit);
}

// @ts-ignore: decorator
@inline
function offsetOf<U>(pc: u32): i64 {
  const register = load<u16>(pc, UOP_B);
  // As signed as the register is wide.
  if (register == ZERO) return load<i32>(pc, UOP_IMM);
  if (sizeof<U>() == 2) return load<i16>(register);
  return sizeof<U>() == 4 ? <i64>load<i32>(register) : load<i64>(register);
}

export function bitR<U>(pc: u32): bool {
  const kind = load<u32>(pc, UOP_IMM + 4);
  const at = <u32>offsetOf<U>(pc) & (sizeof<U>() * 8 - 1);
  const register = load<u16>(pc, UOP_A);
  const value = load<U>(register);
  setCarry(<u32>(value >> <U>at) & 1);
  if (kind != BT) put<U>(register, changed<U>(kind, value, <U>((<U>1) << <U>at)));
  return true;
}

/** A register's offset reaches beyond the operand, both ways; an immediate's doesn't. */
export function bitM<U>(pc: u32, linear: u64): bool {
  const kind = load<u32>(pc, UOP_IMM + 4);
  const offset = offsetOf<U>(pc);
  const log2: i64 = ctz<i32>(sizeof<U>() * 8);
  if (load<u16>(pc, UOP_B) != ZERO) {
    linear += <u64>((offset >> log2) << (log2 - 3));
    if (load<u32>(pc, UOP_IMM)) linear &= 0xffffffff;
  }
  const at = <u32>offset & (sizeof<U>() * 8 - 1);
  if (kind == BT) {
    const from = readable(linear, sizeof<U>());
    if (!from) return false;
    setCarry(<u32>(load<U>(from) >> <U>at) & 1);
    return true;
  }
  const from = updatable(linear, sizeof<U>());
  if (!from) return false;
  const value = load<U>(from);
  store<U>(from, changed<U>(kind, value, <U>((<U>1) << <U>at)));
  if (!finishWrite(from, linear, sizeof<U>())) return false;
  setCarry(<u32>(value >> <U>at) & 1);
  return true;
}

const BSF: u32 = 0;
const TZCNT: u32 = 2;

/** A source of 0 leaves the destination of BSF and BSR, whole, as AMD documents and Intel's do. */
export function scan<U>(pc: u32, value: U): bool {
  const kind = load<u32>(pc, UOP_IMM);
  const register = load<u16>(pc, UOP_A);
  if (kind == TZCNT) {
    const count = value ? <U>ctz<U>(value) : <U>(sizeof<U>() * 8);
    put<U>(register, count);
    // The others are undefined: they stay.
    setArithmeticFlags((getArithmeticFlags() & ~(CF | ZF)) | (value ? 0 : CF) | (count ? 0 : ZF));
    return true;
  }
  if (kind > TZCNT) {
    const count = <U>popcnt<u64>(<u64>value);
    put<U>(register, count);
    setArithmeticFlags(value ? 0 : ZF);
    return true;
  }
  const flags = getArithmeticFlags() & ~ZF;
  setArithmeticFlags(value ? flags : flags | ZF);
  if (value)
    put<U>(register, kind == BSF ? <U>ctz<U>(value) : <U>(<U>(63) - <U>clz<u64>(<u64>value)));
  return true;
}

export function bswap<U>(pc: u32): void {
  const register = load<u16>(pc, UOP_A);
  // Of a 16-bit register undefined: 0.
  if (sizeof<U>() == 2) store<u16>(register, 0);
  else put<U>(register, <U>bswapOf<U>(load<U>(register)));
}

// @ts-ignore: decorator
@inline
function bswapOf<U>(value: U): U {
  return sizeof<U>() == 4 ? <U>bswap32(<u32>value) : <U>((<u64>bswap32(<u32>value) << 32) | bswap32(<u32>((<u64>value) >> 32)));
}

function bswap32(value: u32): u32 {
  return (rotl<u32>(value, 8) & 0x00ff00ff) | (rotr<u32>(value, 8) & 0xff00ff00);
}
