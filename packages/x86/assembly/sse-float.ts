// SSE's floating-point arithmetic, comparisons and approximations on packed and scalar operands.

import { OP_COMISD, OP_COMISS, OP_FLOAT_ADD, OP_RCPSS, OP_RSQRTPS, OP_RSQRTSS, OP_UCOMISS } from "../src/ops/sse";
import { setArithmeticFlags } from "./flags";
import { EQUAL, LESS, UNORDERED } from "./soft-arithmetic";
import { begin, finish, RESULT } from "./sse-environment";
import { lane32, lane64, order32, order64 } from "./sse-lanes";

/** OP_FLOAT_ADD to OP_FLOAT_CMP, in the form that the operation's two low bits say. */
export function arithmetic(op: i32, to: u32, from: u32, predicate: u32): bool {
  const kind = (op - OP_FLOAT_ADD) >> 2;
  begin();
  switch (op & 3) {
    case 0: {
      for (let at: u32 = 0; at < 16; at += 4)
        store<u32>(RESULT + at, lane32(kind, load<u32>(to + at), load<u32>(from + at), predicate));
      if (!finish()) return false;
      v128.store(to, v128.load(RESULT));
      return true;
    }
    case 1: {
      for (let at: u32 = 0; at < 16; at += 8)
        store<u64>(RESULT + at, lane64(kind, load<u64>(to + at), load<u64>(from + at), predicate));
      if (!finish()) return false;
      v128.store(to, v128.load(RESULT));
      return true;
    }
    case 2: {
      const result = lane32(kind, load<u32>(to), load<u32>(from), predicate);
      if (!finish()) return false;
      store<u32>(to, result);
      return true;
    }
    default: {
      const result = lane64(kind, load<u64>(to), load<u64>(from), predicate);
      if (!finish()) return false;
      store<u64>(to, result);
      return true;
    }
  }
}

/** COMISS, COMISD and their quiet forms: ZF, PF and CF; the other arithmetic flags become 0. */
export function compareIntoFlags(op: i32, to: u32, from: u32): bool {
  begin();
  const order = op == OP_COMISS || op == OP_UCOMISS
    ? order32(load<u32>(to), load<u32>(from), op == OP_COMISS)
    : order64(load<u64>(to), load<u64>(from), op == OP_COMISD);
  if (!finish()) return false;
  setArithmeticFlags(order == UNORDERED ? 0x45 : order == EQUAL ? 0x40 : order == LESS ? 1 : 0);
  return true;
}

/**
 * 1/x and 1/√x: x86 promises a relative error of at most 1.5 × 2⁻¹² and no exceptions. These are the correctly rounded
 * values, which no processor gives exactly; denormal operands count as zero, denormal results become zero.
 */
function approximate(op: i32, bits: u32): u32 {
  const sign = bits & 0x8000_0000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return bits | 0x0040_0000;
  if (magnitude < 0x0080_0000) return sign | 0x7f80_0000;
  if (op == OP_RSQRTPS || op == OP_RSQRTSS) {
    if (sign) return 0xffc0_0000;
    return reinterpret<u32>(<f32>(1 / sqrt<f64>(<f64>reinterpret<f32>(bits))));
  }
  const quotient = reinterpret<u32>(<f32>1 / reinterpret<f32>(bits));
  return (quotient & 0x7f80_0000) == 0 ? sign : quotient;
}

export function approximation(op: i32, to: u32, from: u32): bool {
  const last: u32 = op == OP_RCPSS || op == OP_RSQRTSS ? 4 : 16;
  for (let at: u32 = 0; at < last; at += 4) store<u32>(RESULT + at, approximate(op, load<u32>(from + at)));
  memory.copy(to, RESULT, last);
  return true;
}
