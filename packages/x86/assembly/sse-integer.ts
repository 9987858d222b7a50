// Integer, logic and shuffle operations on 128 bits. WASM's SIMD has most of them one to one.
import {
  OP_PACKSSDW, OP_PACKSSWB, OP_PACKUSWB, OP_PADDB, OP_PADDD, OP_PADDQ, OP_PADDSB, OP_PADDSW, OP_PADDUSB, OP_PADDUSW,
  OP_PADDW, OP_PAND, OP_PANDN, OP_PAVGB, OP_PAVGW, OP_PCMPEQB, OP_PCMPEQD, OP_PCMPEQW, OP_PCMPGTB, OP_PCMPGTD, OP_PCMPGTW,
  OP_PMADDWD, OP_PMAXSW, OP_PMAXUB, OP_PMINSW, OP_PMINUB, OP_PMULHUW, OP_PMULHW, OP_PMULLW, OP_PMULUDQ, OP_POR, OP_PSADBW,
  OP_PSHUFD, OP_PSHUFHW, OP_PSHUFLW, OP_PSLLD, OP_PSLLDQ, OP_PSLLQ, OP_PSLLW, OP_PSRAD, OP_PSRAW, OP_PSRLD, OP_PSRLDQ,
  OP_PSRLQ, OP_PSRLW, OP_PSUBB, OP_PSUBD, OP_PSUBQ, OP_PSUBSB, OP_PSUBSW, OP_PSUBUSB, OP_PSUBUSW, OP_PSUBW, OP_PUNPCKHBW,
  OP_PUNPCKHDQ, OP_PUNPCKHQDQ, OP_PUNPCKHWD, OP_PUNPCKLBW, OP_PUNPCKLDQ, OP_PUNPCKLQDQ, OP_PUNPCKLWD, OP_PXOR, OP_SHUFPD,
  OP_SHUFPS,
} from "../src/ops/sse";

// @ts-ignore: decorator
@inline
function zero(): v128 {
  return i64x2.splat(0);
}

// @ts-ignore: decorator
@inline
function bytesInOrder(): v128 {
  return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/** Byte indices that pick the four dwords of `control`'s two-bit fields. */
function dwordIndices(control: u32): v128 {
  const first = i32x4(control & 3, (control >> 2) & 3, (control >> 4) & 3, (control >> 6) & 3);
  return i32x4.add(i32x4.mul(first, i32x4.splat(0x04040404)), i32x4.splat(0x03020100));
}

/** Byte indices that pick the words of `control`'s four two-bit fields, as 64 bits. */
function wordIndices(control: u32): u64 {
  const fields: u64 = (control & 3) | ((control & 0xc) << 14) | (<u64>(control & 0x30) << 28) | (<u64>(control & 0xc0) << 42);
  return fields * 0x0202 + 0x0100_0100_0100_0100;
}

/** The sums of eight bytes' absolute differences, in 64 bits each. */
function sumOfDifferences(a: v128, b: v128): v128 {
  const difference = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  const dwords = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(difference));
  return i64x2.add(v128.and(dwords, i64x2.splat(0xffffffff)), i64x2.shr_u(dwords, 32));
}

/** Stores `a` op `b` at `to`, of the micro-ops OP_PAND to OP_SHUFPD; `control` is the immediate of the shuffles. */
export function integer(op: i32, to: u32, a: u32, b: u32, control: u32): void {
  v128.store(to, combine(op, v128.load(a), v128.load(b), control));
}

function combine(op: i32, a: v128, b: v128, control: u32): v128 {
  switch (op) {
    case OP_PAND: return v128.and(a, b);
    case OP_PANDN: return v128.andnot(b, a);
    case OP_POR: return v128.or(a, b);
    case OP_PXOR: return v128.xor(a, b);
    case OP_PADDB: return i8x16.add(a, b);
    case OP_PADDW: return i16x8.add(a, b);
    case OP_PADDD: return i32x4.add(a, b);
    case OP_PADDQ: return i64x2.add(a, b);
    case OP_PADDSB: return i8x16.add_sat_s(a, b);
    case OP_PADDSW: return i16x8.add_sat_s(a, b);
    case OP_PADDUSB: return i8x16.add_sat_u(a, b);
    case OP_PADDUSW: return i16x8.add_sat_u(a, b);
    case OP_PSUBB: return i8x16.sub(a, b);
    case OP_PSUBW: return i16x8.sub(a, b);
    case OP_PSUBD: return i32x4.sub(a, b);
    case OP_PSUBQ: return i64x2.sub(a, b);
    case OP_PSUBSB: return i8x16.sub_sat_s(a, b);
    case OP_PSUBSW: return i16x8.sub_sat_s(a, b);
    case OP_PSUBUSB: return i8x16.sub_sat_u(a, b);
    case OP_PSUBUSW: return i16x8.sub_sat_u(a, b);
    case OP_PMULLW: return i16x8.mul(a, b);
    case OP_PMULHW:
      return i8x16.shuffle(
        i32x4.extmul_low_i16x8_s(a, b), i32x4.extmul_high_i16x8_s(a, b),
        2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31,
      );
    case OP_PMULHUW:
      return i8x16.shuffle(
        i32x4.extmul_low_i16x8_u(a, b), i32x4.extmul_high_i16x8_u(a, b),
        2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31,
      );
    case OP_PMULUDQ: {
      const low = i64x2.splat(0xffffffff);
      return i64x2.mul(v128.and(a, low), v128.and(b, low));
    }
    case OP_PMADDWD: return i32x4.dot_i16x8_s(a, b);
    case OP_PSADBW: return sumOfDifferences(a, b);
    case OP_PAVGB: return i8x16.avgr_u(a, b);
    case OP_PAVGW: return i16x8.avgr_u(a, b);
    case OP_PMINUB: return i8x16.min_u(a, b);
    case OP_PMAXUB: return i8x16.max_u(a, b);
    case OP_PMINSW: return i16x8.min_s(a, b);
    case OP_PMAXSW: return i16x8.max_s(a, b);
    case OP_PCMPEQB: return i8x16.eq(a, b);
    case OP_PCMPEQW: return i16x8.eq(a, b);
    case OP_PCMPEQD: return i32x4.eq(a, b);
    case OP_PCMPGTB: return i8x16.gt_s(a, b);
    case OP_PCMPGTW: return i16x8.gt_s(a, b);
    case OP_PCMPGTD: return i32x4.gt_s(a, b);
    // A count beyond the element empties it, or fills it with the sign; WASM's counts wrap.
    case OP_PSLLW: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 15 ? zero() : i16x8.shl(a, <i32>count);
    }
    case OP_PSLLD: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 31 ? zero() : i32x4.shl(a, <i32>count);
    }
    case OP_PSLLQ: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 63 ? zero() : i64x2.shl(a, <i32>count);
    }
    case OP_PSRLW: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 15 ? zero() : i16x8.shr_u(a, <i32>count);
    }
    case OP_PSRLD: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 31 ? zero() : i32x4.shr_u(a, <i32>count);
    }
    case OP_PSRLQ: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 63 ? zero() : i64x2.shr_u(a, <i32>count);
    }
    case OP_PSRAW: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return i16x8.shr_s(a, count > 15 ? 15 : <i32>count);
    }
    case OP_PSRAD: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return i32x4.shr_s(a, count > 31 ? 31 : <i32>count);
    }
    // An index outside 0–15 yields 0.
    case OP_PSLLDQ: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 15 ? zero() : i8x16.swizzle(a, i8x16.sub(bytesInOrder(), i8x16.splat(<i8>count)));
    }
    case OP_PSRLDQ: {
      const count = <u64>i64x2.extract_lane(b, 0);
      return count > 15 ? zero() : i8x16.swizzle(a, i8x16.add(bytesInOrder(), i8x16.splat(<i8>count)));
    }
    case OP_PACKSSWB: return i8x16.narrow_i16x8_s(a, b);
    case OP_PACKSSDW: return i16x8.narrow_i32x4_s(a, b);
    case OP_PACKUSWB: return i8x16.narrow_i16x8_u(a, b);
    case OP_PUNPCKLBW: return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    case OP_PUNPCKLWD: return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
    case OP_PUNPCKLDQ: return i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    case OP_PUNPCKLQDQ: return i8x16.shuffle(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    case OP_PUNPCKHBW: return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    case OP_PUNPCKHWD: return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
    case OP_PUNPCKHDQ: return i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    case OP_PUNPCKHQDQ: return i8x16.shuffle(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    case OP_PSHUFD: return i8x16.swizzle(b, dwordIndices(control));
    case OP_PSHUFLW:
      return i8x16.swizzle(b, i64x2(wordIndices(control), 0x0f0e_0d0c_0b0a_0908));
    case OP_PSHUFHW:
      return i8x16.swizzle(b, i64x2(0x0706_0504_0302_0100, wordIndices(control) + 0x0808_0808_0808_0808));
    case OP_SHUFPS: {
      const indices = dwordIndices(control);
      return i8x16.shuffle(
        i8x16.swizzle(a, indices), i8x16.swizzle(b, indices),
        0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31,
      );
    }
    case OP_SHUFPD:
      return i64x2(
        control & 1 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0),
        control & 2 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0),
      );
    default: return unreachable();
  }
}
