// The loop around the run loop: answers to exits, the interrupt shadow, single steps. What `run` means to the owner.
import {
  BUDGET, CODE_BITS, COMPLETING, CPL, CS, EFLAGS_REST, EVENTS, EXIT_BUDGET, EXIT_IRQ_WINDOW, EXIT_REASON, IRQ_SHADOW,
  IRQ_WAITING, PAGE_BASE, PENDING, PENDING_NONE, RETIRED, RETIRED_AT_0, RIP, SEG_BASE, SHADOW_BUDGET, STEPPING,
  TRAP_PENDING,
} from "../src/layout";
import { fetchable } from "./access";
import { run as runTraces } from "./core";
import { deliveries, deliverStepTrap } from "./exceptions";
import { decodeSingle } from "./host";
import { FLAG_IF, FLAG_TF } from "./interrupt-flags";
import { SYSTEM_EVENTS } from "./system-operands";

/**
 * Runs from RIP on until BUDGET is used up or the owner is asked for something. Answers EXIT_*. With COMPLETING set, the
 * instruction at RIP takes the owner's answer first; COMPLETING is 0 afterwards, so that a further exit of the same
 * instruction is a new question.
 */
export function run(): u32 {
  const reason = runWith();
  store<u32>(EXIT_REASON, reason);
  return reason;
}

function runWith(): u32 {
  if (load<u32>(IRQ_SHADOW)) store<i64>(SHADOW_BUDGET, load<i64>(BUDGET));
  while (true) {
    if (load<u32>(TRAP_PENDING)) {
      store<u32>(TRAP_PENDING, 0);
      const refused = trap();
      if (refused) return refused;
    }
    const flags = load<u64>(EFLAGS_REST);
    const completing = load<u32>(COMPLETING) != 0;
    const waiting = load<u32>(IRQ_WAITING) != 0 && (flags & FLAG_IF) != 0;
    if (waiting && !completing && !load<u32>(IRQ_SHADOW)) return EXIT_IRQ_WINDOW;
    const steps = (flags & FLAG_TF) != 0;
    const single = completing || waiting || steps || load<u32>(STEPPING) != 0;
    const reason = single ? step(steps) : go(0);
    if (reason != EXIT_BUDGET && reason != SYSTEM_EVENTS) return reason;
    // Also a long REP ends a run, which may have some of the budget left.
    if (reason == EXIT_BUDGET && !single) return EXIT_BUDGET;
    // What waited for this boundary comes before the budget's end: RIP stands between two instructions.
    if (load<i64>(BUDGET) < 0 && !load<u32>(TRAP_PENDING)) return EXIT_BUDGET;
  }
}

/** As many traces as the budget allows, or from the micro-op `first` on. */
function go(first: u32): u32 {
  const end = load<u64>(RETIRED) + load<u64>(BUDGET);
  store<u64>(RETIRED_AT_0, end);
  const reason = runTraces(first);
  store<u64>(RETIRED, end - load<u64>(BUDGET));
  endShadow();
  return reason;
}

/** The instruction at RIP with an OP_STOP behind it; 0 where it can't be fetched: the run finds that out again. */
function singleAtRip(): u32 {
  let linear = load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP);
  if (load<u32>(CODE_BITS) != 64) linear &= 0xffffffff;
  const entry = fetchable(linear);
  if (!entry) return 0;
  store<u64>(PAGE_BASE, linear & ~0xfff);
  return decodeSingle(load<u32>(entry, 12), <u32>linear & 0xfff);
}

/** Exactly one instruction, or the exception that it raises. */
function step(trapsAfter: bool): u32 {
  const budget = load<i64>(BUDGET);
  const before = deliveries;
  const cpl = load<u32>(CPL);
  const completing = load<u32>(COMPLETING);
  const shadow = load<u32>(IRQ_SHADOW);
  store<i64>(BUDGET, 0);
  if (shadow) store<i64>(SHADOW_BUDGET, 0);
  const reason = go(singleAtRip());
  const used = -load<i64>(BUDGET);
  store<i64>(BUDGET, budget - used);
  // A shadow that this instruction began stands at the budget where the step ended.
  store<i64>(SHADOW_BUDGET, budget - used);
  if (completing) {
    store<u32>(COMPLETING, 0);
    if (used) store<u32>(PENDING, PENDING_NONE);
  }
  // No trap behind an exception or INT n, nor in the shadow of a load of SS, nor where SYSCALL has masked TF.
  const masked = load<u32>(CPL) != cpl && !(load<u64>(EFLAGS_REST) & FLAG_TF);
  if (trapsAfter && used && deliveries == before && !load<u32>(IRQ_SHADOW) && !masked) store<u32>(TRAP_PENDING, 1);
  return reason;
}

/** The #DB of a single step, which costs one of the budget as every event does. */
function trap(): u32 {
  store<u64>(EVENTS, load<u64>(EVENTS) + 1);
  store<i64>(BUDGET, load<i64>(BUDGET) - 1);
  store<u64>(RETIRED, load<u64>(RETIRED) + 1);
  return deliverStepTrap();
}

function endShadow(): void {
  if (load<u32>(IRQ_SHADOW) && load<i64>(BUDGET) != load<i64>(SHADOW_BUDGET)) store<u32>(IRQ_SHADOW, 0);
}
