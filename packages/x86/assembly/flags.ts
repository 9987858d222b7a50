// Arithmetic flags, kept as what they follow from. CC_RES is the result, sign-extended from its size, and ZF is always
// CC_RES == 0. CC_OP is a kind, shifted left by two, with log2 of the operand's bytes below it; CC_SRC is the second operand,
// sign-extended, or what the kind says.
import { CC_OP, CC_RES, CC_SRC, EFLAGS_REST } from "../src/layout";

/** CF = OF = AF = 0. */
export const CC_LOGIC: u32 = 0;
export const CC_ADD: u32 = 1 << 2;
export const CC_SUB: u32 = 2 << 2;
/** With a carry or borrow of 1 coming in; without one ADC is ADD and SBB is SUB. */
export const CC_ADC: u32 = 3 << 2;
export const CC_SBB: u32 = 4 << 2;
/** Bit 0 of CC_SRC is CF. */
export const CC_INC: u32 = 5 << 2;
export const CC_DEC: u32 = 6 << 2;
/** CC_SRC is CF, AF and OF at their places in RFLAGS. */
export const CC_BITS: u32 = 7 << 2;
/** CC_SRC is all six. */
export const CC_EXPLICIT: u32 = 8 << 2;

export const CF: u32 = 0x001;
export const PF: u32 = 0x004;
export const AF: u32 = 0x010;
export const ZF: u32 = 0x040;
export const SF: u32 = 0x080;
export const OF: u32 = 0x800;
export const ARITHMETIC: u32 = CF | PF | AF | ZF | SF | OF;

// @ts-ignore: decorator
@inline
export function setFlags<T>(kind: u32, result: T, source: T): void {
  store<u32>(CC_OP, kind | <u32>ctz<i32>(sizeof<T>()));
  store<i64>(CC_RES, <i64>result);
  if (kind != CC_LOGIC) store<i64>(CC_SRC, <i64>source);
}

/** ZF, SF and PF by the result, the others by `bits`. */
// @ts-ignore: decorator
@inline
export function setFlagBits<T>(result: T, bits: u32): void {
  store<u32>(CC_OP, CC_BITS);
  store<i64>(CC_RES, <i64>result);
  store<u64>(CC_SRC, bits);
}

function signExtended(value: u64, log2: u32): u64 {
  const shift: u64 = 64 - (8 << log2);
  return <u64>(<i64>(value << shift) >> <i64>shift);
}

/** The first operand: of no use for the kinds from CC_INC on. */
function first(op: u32): u64 {
  const result = load<u64>(CC_RES);
  const source = load<u64>(CC_SRC);
  switch (op & ~3) {
    case CC_ADD: return result - source;
    case CC_SUB: return result + source;
    case CC_ADC: return result - source - 1;
    default: return result + source + 1;
  }
}

/** CF, 0 or 1. */
export function carry(): u32 {
  const op = load<u32>(CC_OP);
  const result = load<u64>(CC_RES);
  const source = load<u64>(CC_SRC);
  switch (op >> 2) {
    case CC_LOGIC >> 2: return 0;
    case CC_ADD >> 2: return u32(result < source);
    case CC_SUB >> 2: return u32(signExtended(result + source, op & 3) < source);
    case CC_ADC >> 2: return u32(result <= source);
    case CC_SBB >> 2: return u32(signExtended(result + source + 1, op & 3) <= source);
    default: return <u32>source & 1;
  }
}

/** OF, 0 or 1. */
export function overflow(): u32 {
  const op = load<u32>(CC_OP);
  const result = load<u64>(CC_RES);
  const source = load<u64>(CC_SRC);
  const top: u64 = 63 - ((8 << (op & 3)) - 1);
  switch (op >> 2) {
    case CC_LOGIC >> 2: return 0;
    case CC_ADD >> 2:
    case CC_ADC >> 2: return <u32>((((first(op) ^ result) & (source ^ result)) << top) >> 63);
    case CC_SUB >> 2:
    case CC_SBB >> 2: {
      const a = first(op);
      return <u32>((((a ^ source) & (a ^ result)) << top) >> 63);
    }
    case CC_INC >> 2: return u32(result << top == 0x8000000000000000);
    case CC_DEC >> 2: return u32((result + 1) << top == 0x8000000000000000);
    default: return (<u32>source >> 11) & 1;
  }
}

/** AF, 0 or 1. */
function auxiliary(): u32 {
  const op = load<u32>(CC_OP);
  const result = load<u32>(CC_RES);
  const source = load<u32>(CC_SRC);
  switch (op >> 2) {
    case CC_LOGIC >> 2: return 0;
    case CC_INC >> 2: return u32((result & 15) == 0);
    case CC_DEC >> 2: return u32((result & 15) == 15);
    case CC_BITS >> 2:
    case CC_EXPLICIT >> 2: return (source >> 4) & 1;
    default: return ((<u32>first(op) ^ source ^ result) >> 4) & 1;
  }
}

// @ts-ignore: decorator
@inline
export function zero(): u32 {
  return u32(load<u64>(CC_RES) == 0);
}

/** SF, 0 or 1. */
export function sign(): u32 {
  if (load<u32>(CC_OP) == CC_EXPLICIT) return (load<u32>(CC_SRC) >> 7) & 1;
  return <u32>(load<u64>(CC_RES) >> 63);
}

/** PF, 0 or 1. */
function parity(): u32 {
  if (load<u32>(CC_OP) == CC_EXPLICIT) return (load<u32>(CC_SRC) >> 2) & 1;
  return ~popcnt<u32>(load<u8>(CC_RES)) & 1;
}

/** SF != OF: the signed "less". */
function less(): u32 {
  const op = load<u32>(CC_OP);
  switch (op >> 2) {
    case CC_LOGIC >> 2: return <u32>(load<u64>(CC_RES) >> 63);
    case CC_SUB >> 2: {
      const source = load<i64>(CC_SRC);
      return u32(<i64>signExtended(load<i64>(CC_RES) + source, op & 3) < source);
    }
    default: return sign() ^ overflow();
  }
}

/** Whether a condition (0–15, as encoded) holds, 0 or 1. */
export function condition(code: u32): u32 {
  let holds: u32 = 0;
  switch (code >> 1) {
    case 0: holds = overflow(); break;
    case 1: holds = carry(); break;
    case 2: holds = zero(); break;
    case 3: holds = zero() | carry(); break;
    case 4: holds = sign(); break;
    case 5: holds = parity(); break;
    case 6: holds = less(); break;
    default: holds = zero() | less(); break;
  }
  return holds ^ (code & 1);
}

/** CF, PF, AF, ZF, SF and OF at their places in RFLAGS. */
export function getArithmeticFlags(): u32 {
  if (load<u32>(CC_OP) == CC_EXPLICIT) return load<u32>(CC_SRC);
  return carry() | (parity() << 2) | (auxiliary() << 4) | (zero() << 6) | (sign() << 7) | (overflow() << 11);
}

/** Sets the six; other bits of `value` don't matter. */
export function setArithmeticFlags(value: u32): void {
  store<u32>(CC_OP, CC_EXPLICIT);
  store<u64>(CC_RES, u64(!(value & ZF)));
  store<u64>(CC_SRC, value & ARITHMETIC);
}

/** Sets CF and leaves the others. */
export function setCarry(value: u32): void {
  const op = load<u32>(CC_OP);
  if (op >= CC_BITS) store<u64>(CC_SRC, (load<u64>(CC_SRC) & ~1) | value);
  else if (op < CC_ADD) {
    store<u32>(CC_OP, CC_BITS);
    store<u64>(CC_SRC, value);
  } else {
    const others = (auxiliary() << 4) | (overflow() << 11);
    store<u32>(CC_OP, CC_BITS);
    store<u64>(CC_SRC, value | others);
  }
}

/** Sets CF and OF, at their places in `bits`, and leaves the others. */
export function setCarryAndOverflow(bits: u32): void {
  const op = load<u32>(CC_OP);
  if (op >= CC_BITS) store<u64>(CC_SRC, (load<u64>(CC_SRC) & ~(CF | OF)) | bits);
  else {
    const others = op < CC_ADD ? 0 : auxiliary() << 4;
    store<u32>(CC_OP, CC_BITS);
    store<u64>(CC_SRC, bits | others);
  }
}

/** RFLAGS, of which the upper half is 0. */
export function readFlags(): u32 {
  return load<u32>(EFLAGS_REST) | getArithmeticFlags() | 2;
}

/** Sets all of RFLAGS. */
export function writeFlags(value: u32): void {
  store<u64>(EFLAGS_REST, (value & ~ARITHMETIC) | 2);
  setArithmeticFlags(value);
}
