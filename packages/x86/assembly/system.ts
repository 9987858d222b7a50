// System instructions. (E3 writes this.)
import { EXIT_HLT } from "../src/layout";

/** Answers of `system`. Any other value ends the run as that EXIT_*, RIP being set by the micro-op. */
export const SYSTEM_NEXT: u32 = 0x100;
export const SYSTEM_ENTER: u32 = 0x101;
export const SYSTEM_FAULT: u32 = 0x102;

export function system(op: i32, uop: u32, address: u64): u32 {
  return EXIT_HLT;
}
