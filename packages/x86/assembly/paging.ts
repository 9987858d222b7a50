// The page walk. (E3 writes this.)
import { CR0, FILL_READ_ONLY, FILL_MMIO, FILL_FAULT, FAULT_VECTOR, EXIT_REASON, EXIT_FILL, ACCESS_WRITE } from "../src/layout";
import { fill } from "./host";
import { VECTOR_EXIT } from "./exceptions";

/** `translate`: a device's address; `translatedGpa` tells which. */
export const NO_FRAME: u32 = 0xffffffff;
/** `translate`: FAULT_* (or EXIT_* with VECTOR_EXIT) is set. */
export const TRANSLATE_FAULT: u32 = 0xfffffffe;

let gpa: u64 = 0;

/** GPA of the last translation, without the C bit. */
export function translatedGpa(): u64 {
  return gpa;
}

/** The host page (bits 11:0 are zero) behind a linear address, NO_FRAME or TRANSLATE_FAULT. */
export function translate(linear: u64, access: u32): u32 {
  gpa = linear & 0xffffffff;
  const frame = fill(<u32>(gpa >> 12), access, 0);
  if (frame == FILL_MMIO) return NO_FRAME;
  if (frame == FILL_FAULT || (access & ACCESS_WRITE && frame & FILL_READ_ONLY)) {
    store<u32>(FAULT_VECTOR, VECTOR_EXIT);
    store<u32>(EXIT_REASON, EXIT_FILL);
    return TRANSLATE_FAULT;
  }
  return frame & ~0xfff;
}
