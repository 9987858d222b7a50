// The state block as a whole, when the owner has written it.
import { CPL, CR0, EFLAGS_REST, RANDOM, SEG_RIGHTS, SS } from "../src/layout";
import { CR0_PE, updateMode } from "./modes";
import { flushMappings } from "./tlb";

/**
 * To be called when the owner has written registers that decide the mode (CR0, CR3, CR4, EFER, segments), or has put another
 * virtual processor's state in place: derives CPL, CODE_BITS and STACK_MASK, and drops what was learned of mappings.
 */
export function stateLoaded(): void {
  // CPL is SS.DPL, as on a real processor's saved state.
  store<u32>(CPL, load<u64>(CR0) & CR0_PE ? (load<u32>(SEG_RIGHTS + SS * 4) >> 5) & 3 : 0);
  store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) | 2);
  if (!load<u64>(RANDOM)) store<u64>(RANDOM, 0x9e37_79b9_7f4a_7c15);
  updateMode();
  flushMappings();
}
