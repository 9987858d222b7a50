// Interrupt delivery in real mode: a table of offsets and segments. AMD64 APM volume 2, 8.6.
import { CS, EFLAGS_REST, IDT_BASE, IDT_LIMIT, RIP, SEG_BASE, SEG_SELECTOR, SS, STACK_MASK } from "../src/layout";
import { fault, VECTOR_GP } from "./fault";
import { addItem, moveStack, peek, peeked, pushItems, RSP, startItems } from "./implicit";
import { enterHandlerFlags, FLAG_AC } from "./interrupt-flags";
import { loadReal } from "./segments";

/** See `deliver`: error codes aren't pushed. */
export function deliverReal(vector: u32, rip: u64, flags: u32): bool {
  if (vector * 4 + 3 > load<u32>(IDT_LIMIT)) return fault(VECTOR_GP, vector * 8 + 2);
  if (!peek((load<u64>(IDT_BASE) + vector * 4) & 0xffffffff, 4)) return false;
  const target = <u32>peeked;
  startItems();
  addItem(flags & 0xffff);
  addItem(load<u32>(SEG_SELECTOR + CS * 4));
  addItem(rip);
  if (!pushItems(load<u64>(SEG_BASE + SS * 8), load<u64>(RSP), load<u64>(STACK_MASK), 2, false, 0)) return false;
  moveStack(-6);
  loadReal(CS, target >> 16);
  store<u64>(RIP, target & 0xffff);
  enterHandlerFlags(true);
  store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) & ~FLAG_AC);
  return true;
}
