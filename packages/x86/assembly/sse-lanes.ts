// One element of SSE's arithmetic, single or double: WASM's own where that is exact about flags and NaNs, else the soft one.
import { add, compare, divide, GREATER, LESS, multiply, squareRoot } from "./soft-arithmetic";
import { a, b, env, r, unpack32, unpack64 } from "./soft-number";
import { pack32, pack64 } from "./soft-round";
import { isOrdinary32, isOrdinary64, quick } from "./sse-environment";

/** In the order of OP_FLOAT_*. */
export const ADD: i32 = 0;
export const MUL: i32 = 1;
export const SUB: i32 = 2;
export const MIN: i32 = 3;
export const DIV: i32 = 4;
export const MAX: i32 = 5;
export const SQRT: i32 = 6;
export const CMP: i32 = 7;

/** By predicate, which outcomes make it true: bit 0 less, 1 equal, 2 greater, 3 unordered. One nibble each. */
const TRUE_WHEN: u32 = 0x7ced_8312;
/** Predicates to which quiet NaNs are invalid: LT, LE, NLT, NLE. */
const SIGNALING: u32 = 0x66;

function holds(predicate: u32, order: i32): bool {
  return ((TRUE_WHEN >> (predicate << 2)) >> (order + 1)) & 1 ? true : false;
}

// @ts-ignore: decorator
@inline
function soft(kind: i32): void {
  switch (kind) {
    case ADD: add(0); break;
    case SUB: add(1); break;
    case MUL: multiply(); break;
    case DIV: divide(); break;
    default: squareRoot();
  }
}

// @ts-ignore: decorator
@inline
function isDenormal32(bits: u32): bool {
  return (bits & 0x7f80_0000) == 0;
}

// @ts-ignore: decorator
@inline
function isDenormal64(bits: u64): bool {
  return (bits & 0x7ff0_0000_0000_0000) == 0;
}

/** How x stands to y, with the flags of that. */
export function order32(x: u32, y: u32, signaling: bool): i32 {
  if (isOrdinary32(x) && isOrdinary32(y)) {
    const left = reinterpret<f32>(x);
    const right = reinterpret<f32>(y);
    return <i32>(left > right) - <i32>(left < right);
  }
  unpack32(a, x);
  unpack32(b, y);
  return compare(signaling);
}

export function order64(x: u64, y: u64, signaling: bool): i32 {
  if (isOrdinary64(x) && isOrdinary64(y)) {
    const left = reinterpret<f64>(x);
    const right = reinterpret<f64>(y);
    return <i32>(left > right) - <i32>(left < right);
  }
  unpack64(a, x);
  unpack64(b, y);
  return compare(signaling);
}

/** MIN and MAX: the second operand wherever the first one isn't strictly the one asked for. */
function extreme32(kind: i32, x: u32, y: u32): u32 {
  const taken = order32(x, y, true) == (kind == MIN ? LESS : GREATER) ? x : y;
  return env.denormalsAreZero && isDenormal32(taken) ? taken & 0x8000_0000 : taken;
}

function extreme64(kind: i32, x: u64, y: u64): u64 {
  const taken = order64(x, y, true) == (kind == MIN ? LESS : GREATER) ? x : y;
  return env.denormalsAreZero && isDenormal64(taken) ? taken & 0x8000_0000_0000_0000 : taken;
}

/** The element of `x` op `y`; `predicate` is that of a comparison. A square root is that of `y`. */
export function lane32(kind: i32, x: u32, y: u32, predicate: u32): u32 {
  if (quick && isOrdinary32(y)) {
    const left = reinterpret<f32>(x);
    const right = reinterpret<f32>(y);
    switch (kind) {
      case ADD:
      case SUB: {
        if (!isOrdinary32(x)) break;
        const sum = reinterpret<u32>(kind == ADD ? left + right : left - right);
        if (isOrdinary32(sum)) return sum;
        break;
      }
      case MUL: {
        if (!isOrdinary32(x)) break;
        const product = reinterpret<u32>(left * right);
        if (isOrdinary32(product) && (product << 1 || left == 0 || right == 0)) return product;
        break;
      }
      case DIV: {
        if (!isOrdinary32(x) || right == 0) break;
        const quotient = reinterpret<u32>(left / right);
        if (isOrdinary32(quotient) && (quotient << 1 || left == 0)) return quotient;
        break;
      }
      case SQRT: {
        if (<i32>y >= 0) return reinterpret<u32>(sqrt<f32>(right));
        break;
      }
      default: break;
    }
  }
  if (kind == MIN || kind == MAX) return extreme32(kind, x, y);
  if (kind == CMP) return holds(predicate, order32(x, y, ((SIGNALING >> predicate) & 1) != 0)) ? 0xffff_ffff : 0;
  unpack32(a, kind == SQRT ? y : x);
  unpack32(b, y);
  soft(kind);
  return pack32(r);
}

export function lane64(kind: i32, x: u64, y: u64, predicate: u32): u64 {
  if (quick && isOrdinary64(y)) {
    const left = reinterpret<f64>(x);
    const right = reinterpret<f64>(y);
    switch (kind) {
      case ADD:
      case SUB: {
        if (!isOrdinary64(x)) break;
        const sum = reinterpret<u64>(kind == ADD ? left + right : left - right);
        if (isOrdinary64(sum)) return sum;
        break;
      }
      case MUL: {
        if (!isOrdinary64(x)) break;
        const product = reinterpret<u64>(left * right);
        if (isOrdinary64(product) && (product << 1 || left == 0 || right == 0)) return product;
        break;
      }
      case DIV: {
        if (!isOrdinary64(x) || right == 0) break;
        const quotient = reinterpret<u64>(left / right);
        if (isOrdinary64(quotient) && (quotient << 1 || left == 0)) return quotient;
        break;
      }
      case SQRT: {
        if (<i64>y >= 0) return reinterpret<u64>(sqrt<f64>(right));
        break;
      }
      default: break;
    }
  }
  if (kind == MIN || kind == MAX) return extreme64(kind, x, y);
  if (kind == CMP) return holds(predicate, order64(x, y, ((SIGNALING >> predicate) & 1) != 0)) ? ~(<u64>0) : 0;
  unpack64(a, kind == SQRT ? y : x);
  unpack64(b, y);
  soft(kind);
  return pack64(r);
}
