// MXCSR around an SSE floating-point micro-op: how it rounds, which exceptions it raises.
import { CR4, MXCSR } from "../src/layout";
import { plainFault, VECTOR_UD } from "./fault";
import { BEFORE_OPERATION, env, INEXACT, NEAREST } from "./soft-number";
import { CR4_OSXMMEXCPT } from "./sse-operands";

/** Where results are put together until it is clear that no unmasked exception hides them. */
export const RESULT: u32 = <u32>memory.data(16, 16);

const XM: u32 = 19;

/**
 * WASM's own arithmetic does it, where operands and result are ordinary: it rounds to nearest, and of the flags only
 * INEXACT could come up, which is set and masked already.
 */
export let quick: bool = false;

/** Before the first element. */
export function begin(): void {
  const mxcsr = load<u32>(MXCSR);
  env.raised = 0;
  env.rounding = (mxcsr >> 13) & 3;
  env.masked = (mxcsr >> 7) & 0x3f;
  env.denormalsAreZero = (mxcsr >> 6) & 1;
  env.flushToZero = mxcsr >> 15;
  env.x87 = 0;
  quick = env.rounding == NEAREST && (mxcsr & env.masked & INEXACT) != 0;
}

/**
 * After the last element: sets MXCSR's flags. False where an exception is unmasked: #XM, or #UD while the system can't
 * take that. Exceptions found before the operation then hide those of its result.
 */
export function finish(): bool {
  const mxcsr = load<u32>(MXCSR);
  let raised = env.raised;
  const unmasked = raised & ~env.masked;
  if (unmasked & BEFORE_OPERATION) raised &= BEFORE_OPERATION;
  store<u32>(MXCSR, mxcsr | raised);
  if (!unmasked) return true;
  return plainFault(load<u32>(CR4) & CR4_OSXMMEXCPT ? XM : VECTOR_UD);
}

/** Exponent neither that of denormals and the smallest normals nor that of infinities and NaNs; or zero. */
// @ts-ignore: decorator
@inline
export function isOrdinary32(bits: u32): bool {
  return ((bits >> 23) & 0xff) - 2 < <u32>0xfd || bits << 1 == 0;
}

// @ts-ignore: decorator
@inline
export function isOrdinary64(bits: u64): bool {
  return ((bits >> 52) & 0x7ff) - 2 < <u64>0x7fd || bits << 1 == 0;
}
