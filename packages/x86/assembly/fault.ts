// How an instruction says that it can't go on: what FAULT_* and EXIT_* mean is in src/layout.ts.
import { EXIT_REASON, FAULT_CODE, FAULT_HAS_CODE, FAULT_VECTOR } from "../src/layout";

/** FAULT_VECTOR's value where no exception but an exit is on its way: EXIT_REASON says which. */
export const VECTOR_EXIT: u32 = 0x100;

export const VECTOR_DB: u32 = 1;
export const VECTOR_NMI: u32 = 2;
export const VECTOR_UD: u32 = 6;
export const VECTOR_DF: u32 = 8;
export const VECTOR_TS: u32 = 10;
export const VECTOR_NP: u32 = 11;
export const VECTOR_SS: u32 = 12;
export const VECTOR_GP: u32 = 13;
export const VECTOR_PF: u32 = 14;

/** An exception with an error code is on its way. Always false, so that a check can end with it. */
export function fault(vector: u32, code: u32): bool {
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_HAS_CODE, 1);
  store<u32>(FAULT_CODE, code);
  return false;
}

/** An exception without error code is on its way. Always false. */
export function plainFault(vector: u32): bool {
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_HAS_CODE, 0);
  store<u32>(FAULT_CODE, 0);
  return false;
}

/** The run must end with `reason`, RIP at the instruction. Always false. */
export function exitAtInstruction(reason: u32): bool {
  store<u32>(FAULT_VECTOR, VECTOR_EXIT);
  store<u32>(EXIT_REASON, reason);
  return false;
}
