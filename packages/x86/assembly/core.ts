// The run loop: one micro-op after the other. A case that `break`s has a fault or an exit on its way at `pc`; one that
// jumps sets `pc` to another micro-op and `continue`s. Hot families are cases here, the others functions.
import {
  BUDGET, CODE_GENERATION, CS, EVENTS, CODE_BITS, EXIT_BUDGET, EXIT_REASON, EXIT_UNSUPPORTED, EXEC_TLB_ENTRIES, FAULT_CODE, FAULT_HAS_CODE,
  FAULT_VECTOR, PAGE_BASE, RIP, SEG_BASE, UOP_A, UOP_B, UOP_BASE, UOP_DISP, UOP_IMM, UOP_INDEX, UOP_LENGTH, UOP_LINK,
  UOP_NEXT, UOP_OP, UOP_ORDINAL, UOP_SCALE,
} from "../src/layout";
import { OP_CROSS, OP_EA, OP_GOTO, OP_NEXT_PAGE, OP_RESYNC, OP_STOP, OP_UD, OP_UNSUPPORTED } from "../src/ops/integer";
import { OP_SSE_FIRST, OP_SYSTEM_FIRST, OP_X87_FIRST } from "../src/ops/ranges";
import { fetchable } from "./access";
import { decode, decodeCrossing } from "./host";
import { execTlb } from "./tlb";
import { deliverFault, VECTOR_EXIT } from "./exceptions";
import { system, SYSTEM_NEXT, SYSTEM_ENTER, SYSTEM_FAULT } from "./system";
import { sse } from "./sse";
import { x87 } from "./x87";
import { effectiveAddress } from "./address";

/** Instructions left; the ordinal at which the trace was entered. Not locals: only jumps touch them. */
let budget: i32 = 0;
let enteredAt: u32 = 0;

// @ts-ignore: decorator
@inline
function ordinal(uop: u32): u32 {
  return load<u16>(uop, UOP_ORDINAL);
}

/** A memory operand's linear address, where base, index and displacement say it all. */
// @ts-ignore: decorator
@inline
function address(pc: u32): u64 {
  return load<u64>(load<u16>(pc, UOP_BASE)) + (load<u64>(load<u16>(pc, UOP_INDEX)) << load<u8>(pc, UOP_SCALE))
    + <u64><i64>load<i32>(pc, UOP_DISP);
}

/** Linear address of the instruction of a micro-op. */
// @ts-ignore: decorator
@inline
function linearOf(uop: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT) - load<u8>(uop, UOP_LENGTH);
}

/** RIP as the guest sees it: the offset in CS. */
function setRip(linear: u64): void {
  const rip = linear - load<u64>(SEG_BASE + CS * 8);
  store<u64>(RIP, load<u32>(CODE_BITS) == 64 ? rip : rip & 0xffffffff);
}

/** The micro-op at a linear address; 0 on a fault, with RIP there. */
// @ts-ignore: decorator
@inline
function enter(linear: u64): u32 {
  const entry = execTlb + ((<u32>(linear >> 12) & (EXEC_TLB_ENTRIES - 1)) << 4);
  if (load<u64>(entry) == (linear & ~0xfff)) {
    const uop = load<u32>(load<u32>(entry, 8) + ((<u32>linear & 0xfff) << 2));
    if (uop) {
      store<u64>(PAGE_BASE, linear & ~0xfff);
      return uop;
    }
  }
  return enterSlow(linear);
}

function enterSlow(linear: u64): u32 {
  const entry = fetchable(linear);
  if (entry == 0) {
    setRip(linear);
    return 0;
  }
  store<u64>(PAGE_BASE, linear & ~0xfff);
  const offset = <u32>linear & 0xfff;
  const uop = load<u32>(load<u32>(entry, 8) + (offset << 2));
  return uop ? uop : decode(load<u32>(entry, 12), offset);
}

/** Where a direct jump leads. The link is kept where it stays in the page: both micro-ops go when the page changes. */
// @ts-ignore: decorator
@inline
function follow(pc: u32): u32 {
  const link = load<u32>(pc, UOP_LINK);
  return link ? link : followSlow(pc);
}

function followSlow(pc: u32): u32 {
  const target = load<i64>(pc, UOP_IMM);
  const generation = load<u32>(CODE_GENERATION);
  const uop = enter(load<u64>(PAGE_BASE) + target);
  // Decoding may have forgotten everything when the cache was full: a link is only written into a live micro-op.
  if (uop && <u64>target < 4096 && generation == load<u32>(CODE_GENERATION)) store<u32>(pc, uop, UOP_LINK);
  return uop;
}

/** Counts what retired up to and with the jump at `pc`, and goes on at `target`. */
// @ts-ignore: decorator
@inline
function jumped(pc: u32, target: u32): void {
  budget -= <i32>(ordinal(pc) + 1 - enteredAt);
  enteredAt = ordinal(target);
}

/** Ends a run in front of the micro-op at `pc`. */
function stopAt(pc: u32, reason: u32): u32 {
  setRip(linearOf(pc));
  store<i64>(BUDGET, <i64>budget);
  store<u32>(EXIT_REASON, reason);
  return reason;
}

/**
 * Runs from RIP on until the budget is used up or something is asked for. Answers EXIT_*. At most one trace more than
 * the budget may retire; BUDGET says exactly how many did.
 */
export function run(): u32 {
  budget = <i32>load<i64>(BUDGET);
  let pc = enter(load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP));
  if (pc) enteredAt = ordinal(pc);
  while (true) {
    if (pc) {
      const op = <i32>load<u16>(pc, UOP_OP);
      switch (op) {
        case OP_RESYNC: {
          budget -= <i32>(ordinal(pc) - enteredAt);
          pc = enter(linearOf(pc));
          if (!pc) break;
          enteredAt = ordinal(pc);
          continue;
        }
        case OP_GOTO: {
          budget -= <i32>(ordinal(pc) - enteredAt);
          pc = follow(pc);
          if (!pc) break;
          enteredAt = ordinal(pc);
          if (budget < 0) return stopAt(pc, EXIT_BUDGET);
          continue;
        }
        case OP_NEXT_PAGE: {
          budget -= <i32>(ordinal(pc) - enteredAt);
          pc = enter(load<u64>(PAGE_BASE) + load<u64>(pc, UOP_IMM));
          if (!pc) break;
          enteredAt = ordinal(pc);
          if (budget < 0) return stopAt(pc, EXIT_BUDGET);
          continue;
        }
        case OP_CROSS: {
          // The second page may be mapped elsewhere by now: DISP is the host page that its bytes were decoded from.
          budget -= <i32>(ordinal(pc) - enteredAt);
          enteredAt = ordinal(pc);
          const entry = fetchable(load<u64>(PAGE_BASE) + 4096);
          if (!entry) break;
          const second = load<u32>(entry, 12);
          let inner = load<u32>(pc, UOP_LINK);
          if (!inner || load<u32>(pc, UOP_DISP) != second) {
            const first = fetchable(load<u64>(PAGE_BASE));
            if (!first) break;
            inner = decodeCrossing(pc, load<u32>(first, 12), second);
          }
          pc = inner;
          enteredAt = 0;
          continue;
        }
        case OP_STOP: {
          budget -= <i32>(ordinal(pc) - enteredAt);
          enteredAt = ordinal(pc);
          return stopAt(pc, EXIT_BUDGET);
        }
        case OP_EA: {
          store<u64>(load<u16>(pc, UOP_A), effectiveAddress(pc, address(pc)));
          pc += 32;
          continue;
        }
        case OP_UD: {
          store<u32>(FAULT_VECTOR, 6);
          store<u32>(FAULT_HAS_CODE, 0);
          break;
        }
        default: {
          if (op >= OP_SYSTEM_FIRST) {
            // A system micro-op may look at the clock, at RIP and at the budget.
            budget -= <i32>(ordinal(pc) - enteredAt);
            enteredAt = ordinal(pc);
            store<i64>(BUDGET, <i64>budget);
            const answer = system(op, pc, address(pc));
            if (answer == SYSTEM_NEXT) {
              pc += 32;
              continue;
            }
            if (answer == SYSTEM_FAULT) break;
            // RIP (and perhaps the mode) is new: SYSTEM_ENTER goes on there, anything else ends the run.
            budget -= 1;
            store<i64>(BUDGET, <i64>budget);
            if (answer != SYSTEM_ENTER) {
              store<u32>(EXIT_REASON, answer);
              return answer;
            }
            pc = enter(load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP));
            if (!pc) break;
            enteredAt = ordinal(pc);
            if (budget < 0) return stopAt(pc, EXIT_BUDGET);
            continue;
          }
          if (op >= OP_SSE_FIRST) {
            if (op >= OP_X87_FIRST ? x87(op, pc, address(pc)) : sse(op, pc, address(pc))) {
              pc += 32;
              continue;
            }
            break;
          }
          store<u32>(FAULT_VECTOR, VECTOR_EXIT);
          store<u32>(EXIT_REASON, EXIT_UNSUPPORTED);
          break;
        }
      }
    }
    // A fault, or an exit in the middle of an instruction: it hasn't retired.
    if (pc) {
      budget -= <i32>(ordinal(pc) - enteredAt);
      enteredAt = ordinal(pc);
      setRip(linearOf(pc));
    }
    store<i64>(BUDGET, <i64>budget);
    if (load<u32>(FAULT_VECTOR) == VECTOR_EXIT) return load<u32>(EXIT_REASON);
    const refused = deliverFault();
    if (refused) {
      store<u32>(EXIT_REASON, refused);
      return refused;
    }
    budget -= 1;
    store<u64>(EVENTS, load<u64>(EVENTS) + 1);
    if (budget < 0) {
      store<i64>(BUDGET, <i64>budget);
      store<u32>(EXIT_REASON, EXIT_BUDGET);
      return EXIT_BUDGET;
    }
    pc = enter(load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP));
    if (pc) enteredAt = ordinal(pc);
  }
}
