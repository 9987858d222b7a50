// Exceptions and interrupts through the IDT. (E3 writes this.)
import { EXIT_SHUTDOWN } from "../src/layout";

/** FAULT_VECTOR's value where no exception but an exit is on its way: EXIT_REASON says which. */
export const VECTOR_EXIT: u32 = 0x100;

/** Delivers FAULT_*: RIP is the faulting instruction's. 0, or EXIT_SHUTDOWN after a triple fault. */
export function deliverFault(): u32 {
  return EXIT_SHUTDOWN;
}
