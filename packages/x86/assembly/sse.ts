// SSE and SSE2: who may use them, and which family's function does a micro-op.
import { UOP_A, UOP_IMM } from "../src/layout";
import { OP_FLOAT_ADD, OP_PAND, OP_SSE_COPY32 } from "../src/ops/sse";
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
  const to = load<u16>(uop, UOP_A);
  integer(op, to, to, from, load<u32>(uop, UOP_IMM));
  return true;
}
