// From one micro-op to another: by a linear address, by the link that a direct jump keeps, and by way of an exception. What
// answers a micro-op never answers 0: where the run must end, it is one that ends it.
import {
  BUDGET, CODE_BITS, CODE_GENERATION, CS, EVENTS, EXEC_TLB_ENTRIES, EXIT_BUDGET, EXIT_REASON, FAULT_VECTOR, PAGE_BASE, RIP,
  SEG_BASE, TMP_EA, UOP_A, UOP_BASE, UOP_IMM, UOP_INDEX, UOP_LENGTH, UOP_LINK, UOP_NEXT, UOP_OP, UOP_ORDINAL,
  ZERO,
} from "../src/layout";
import { OP_CALL_M, OP_EXIT, OP_PUSH_M } from "../src/ops/integer";
import { fetchable } from "./access";
import { deliverFault } from "./exceptions";
import { fault, VECTOR_EXIT, VECTOR_GP, VECTOR_SS } from "./fault";
import { decode } from "./host";
import { RBP, RSP } from "./integer-move";
import { address } from "./operands";
import { isCanonical, takeWildAddress } from "./paging";
import { execTlb } from "./tlb";

/**
 * Instructions that may still retire, plus the ordinal of the micro-op where the trace was entered: in front of a
 * micro-op the budget is `credit - ordinal(pc)`. Only jumps touch it.
 */
let credit: i32 = 0;

/** The micro-op that ends a run. */
const exitUop: u32 = <u32>memory.data(32);

/** Instructions of the trace before this micro-op. */
// @ts-ignore: decorator
@inline
export function ordinal(uop: u32): i32 {
  return load<u16>(uop, UOP_ORDINAL);
}

/** Linear address of the instruction of a micro-op, and of the one behind it. */
// @ts-ignore: decorator
@inline
export function linearOf(uop: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT) - load<u8>(uop, UOP_LENGTH);
}

// @ts-ignore: decorator
@inline
export function linearBehind(uop: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT);
}

/** RIP as the guest sees it: the offset in CS. */
function setRip(linear: u64): void {
  const rip = linear - load<u64>(SEG_BASE + CS * 8);
  store<u64>(RIP, load<u32>(CODE_BITS) == 64 ? rip : rip & 0xffffffff);
}

/** Where a run begins: at `first`, or where RIP is. */
export function begin(first: u32): u32 {
  store<u16>(exitUop, <u16>OP_EXIT);
  credit = <i32>load<i64>(BUDGET);
  if (credit < 0) return stopped();
  return arrived(first ? first : enterAtRip());
}

/** Ends the run in front of the micro-op at `pc`. */
export function stopAt(pc: u32): u32 {
  leaveTrace(pc);
  return stopHere(pc);
}

/** The same where the trace has been left: `credit` is the budget. */
function stopHere(pc: u32): u32 {
  setRip(linearOf(pc));
  return stopped();
}

/** The same in front of an instruction that wasn't fetched yet: a fault of fetching it belongs to the next run. */
function stopBefore(linear: u64): u32 {
  setRip(linear);
  return stopped();
}

/** RIP says where. */
function stopped(): u32 {
  store<i64>(BUDGET, <i64>credit);
  store<u32>(EXIT_REASON, EXIT_BUDGET);
  return exitUop;
}

/** In front of a micro-op that is left without retiring: `credit` and BUDGET are the budget from now on. */
export function leaveTrace(pc: u32): void {
  credit -= ordinal(pc);
  store<i64>(BUDGET, <i64>credit);
}

/** Back in the trace that `leaveTrace` left. */
export function comeBack(pc: u32): void {
  credit += ordinal(pc);
}

/** Behind a micro-op that retired after `leaveTrace` and set RIP: on from there. */
export function continueAtRip(): u32 {
  credit -= 1;
  return credit < 0 ? stopped() : arrived(enterAtRip());
}

/** The same, where the run ends with `reason`. */
export function exitBehind(reason: u32): u32 {
  credit -= 1;
  stopped();
  store<u32>(EXIT_REASON, reason);
  return exitUop;
}

/** At a micro-op that `credit`, not used up, doesn't count for yet; 0: there is none, and a fault on its way. */
// @ts-ignore: decorator
@inline
function arrived(uop: u32): u32 {
  if (!uop) return faulted(0);
  credit += ordinal(uop);
  return uop;
}

/** The micro-op at a linear address; 0 on a fault, with RIP there. */
// @ts-ignore: decorator
@inline
function enter(linear: u64): u32 {
  const entry = execTlb + (<u32>(linear >> 8) & ((EXEC_TLB_ENTRIES - 1) << 4));
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

function enterAtRip(): u32 {
  const linear = load<u64>(SEG_BASE + CS * 8) + load<u64>(RIP);
  return enterSlow(load<u32>(CODE_BITS) == 64 ? linear : linear & 0xffffffff);
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

/** Behind a direct jump, which retires. */
// @ts-ignore: decorator
@inline
export function jump(pc: u32): u32 {
  credit -= ordinal(pc) + 1;
  if (credit < 0) return stopBefore(load<u64>(PAGE_BASE) + load<u64>(pc, UOP_IMM));
  return arrived(follow(pc));
}

/** Behind a jump to a linear address, which retires. */
// @ts-ignore: decorator
@inline
export function jumpTo(pc: u32, linear: u64): u32 {
  credit -= ordinal(pc) + 1;
  if (credit < 0) return stopBefore(linear);
  return arrived(enter(linear));
}

/** Where the trace goes on elsewhere without an instruction at its end. */
export function goOn(pc: u32): u32 {
  credit -= ordinal(pc);
  if (credit < 0) return stopBefore(load<u64>(PAGE_BASE) + load<u64>(pc, UOP_IMM));
  return arrived(follow(pc));
}

export function goOnAt(pc: u32, linear: u64): u32 {
  credit -= ordinal(pc);
  if (credit < 0) return stopBefore(linear);
  return arrived(enter(linear));
}

/** The code has changed: looked up again. */
export function resync(pc: u32): u32 {
  const linear = linearOf(pc);
  credit -= ordinal(pc);
  if (credit < 0) return stopBefore(linear);
  const uop = enterSlow(linear);
  if (!uop) return faulted(0);
  credit += ordinal(uop);
  return uop;
}

/** The first micro-op of a trace of its own, in place of the micro-op `pc`. */
export function replace(pc: u32, first: u32): u32 {
  credit -= ordinal(pc);
  return first;
}

/**
 * A fault, or an exit in the middle of an instruction: the one at `pc` hasn't retired. 0: of an instruction that couldn't be
 * fetched, RIP being set.
 */
export function faulted(pc: u32): u32 {
  while (true) {
    if (pc) {
      credit -= ordinal(pc);
      setRip(linearOf(pc));
    }
    store<i64>(BUDGET, <i64>credit);
    if (load<u32>(FAULT_VECTOR) == VECTOR_EXIT) return exitUop;
    if (takeWildAddress() && pc && load<u32>(FAULT_VECTOR) == VECTOR_GP && usesStack(pc)) fault(VECTOR_SS, 0);
    const refused = deliverFault();
    store<u32>(EXIT_REASON, refused);
    if (refused) return exitUop;
    credit -= 1;
    store<i64>(BUDGET, <i64>credit);
    store<u64>(EVENTS, load<u64>(EVENTS) + 1);
    if (credit < 0) return exitUop;
    pc = enterAtRip();
    if (pc) {
      credit += ordinal(pc);
      return pc;
    }
  }
}

/** Whether an address that isn't canonical was one of the stack segment: by its base, or a stack operation's own. */
function usesStack(pc: u32): bool {
  const op = load<u16>(pc, UOP_OP);
  if ((op == OP_PUSH_M || op == OP_CALL_M) && isCanonical(address(pc))) return true;
  // The address may have been computed in front, by OP_INDEX (alone or in a pair). OP_EA's IMM is not 0.
  if (load<u16>(pc, UOP_BASE) == TMP_EA && load<u16>(pc - 32, UOP_A) == TMP_EA && !load<u64>(pc - 32, UOP_IMM)) pc -= 32;
  const base: u32 = load<u16>(pc, UOP_BASE);
  // In an index's place there is a segment's base where one has been named.
  return (base == RSP || base == RBP) && load<u16>(pc, UOP_INDEX) <= <u16>ZERO;
}

/** A near transfer's target in 64-bit code: one that isn't canonical is #GP at the transfer. */
// @ts-ignore: decorator
@inline
export function mayGoTo(linear: u64): bool {
  return isCanonical(linear) ? true : fault(VECTOR_GP, 0);
}
