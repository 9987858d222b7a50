// RFLAGS as an interrupt handler finds it.
import { EFLAGS_REST } from "../src/layout";

export const FLAG_TF: u64 = 1 << 8;
export const FLAG_IF: u64 = 1 << 9;
export const FLAG_NT: u64 = 1 << 14;
export const FLAG_RF: u64 = 1 << 16;
export const FLAG_VM: u64 = 1 << 17;
export const FLAG_AC: u64 = 1 << 18;

/** TF, NT, RF and VM are cleared; IF by an interrupt gate, not by a trap gate. */
export function enterHandlerFlags(clearsInterrupts: bool): void {
  let flags = load<u64>(EFLAGS_REST) & ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
  if (clearsInterrupts) flags &= ~FLAG_IF;
  store<u64>(EFLAGS_REST, flags);
}
