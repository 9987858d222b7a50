// SSE and SSE2: who may use them, and which family's function does a micro-op.
import { UOP_A, UOP_IMM } from "../src/layout";
import { OP_COMISS, OP_CVTPS2PD, OP_FLOAT_ADD, OP_PAND, OP_RCPPS, OP_SSE_COPY32 } from "../src/ops/sse";
import { convert } from "./sse-convert";
import { approximation, arithmetic, compareIntoFlags } from "./sse-float";
import { integer } from "./sse-integer";
import { move, unboundMove } from "./sse-move";
import { source, sseAvailable } from "./sse-operands";

/** Does the micro-op; false on a fault. `address` is its memory operand's. */
export function sse(op: i32, uop: u32, address: u64): bool {
  if (op < OP_SSE_COPY32) return unboundMove(op, uop, address);
  if (!sseAvailable()) return false;
  if (op < OP_PAND) return move(op, uop, address);
  const from = source(uop, address);
  if (!from) return false;
  const to: u32 = load<u16>(uop, UOP_A);
  if (op < OP_FLOAT_ADD) {
    integer(op, to, to, from, load<u32>(uop, UOP_IMM));
    return true;
  }
  if (op < OP_RCPPS) return arithmetic(op, to, from, load<u32>(uop, UOP_IMM) & 7);
  if (op < OP_COMISS) return approximation(op, to, from);
  if (op < OP_CVTPS2PD) return compareIntoFlags(op, to, from);
  return convert(op, to, from);
}
