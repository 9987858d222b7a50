// (E2 writes this.)

/** Does the micro-op; false on a fault. `address` is its memory operand's. */
export function sse(op: i32, uop: u32, address: u64): bool {
  return false;
}
