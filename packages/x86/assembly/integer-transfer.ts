// Near jumps, calls and returns whose target wraps at the operand size: those of 16- and 32-bit code, and LOOP. What
// 64-bit code does all the time is in core.ts.
import {
  CODE_BITS, CS, PAGE_BASE, REGS, RIP, SEG_BASE, UOP_A, UOP_B, UOP_IMM, UOP_NEXT,
} from "../src/layout";
import {
  OP_CALL_ANY, OP_CALL_ANY_M, OP_CALL_ANY_R, OP_JCC_ANY, OP_JMP_ANY, OP_JMP_ANY_M, OP_JMP_ANY_R, OP_LOOP_ANY, OP_RET_ANY,
} from "../src/ops/integer";
import { condition, zero } from "./flags";
import { moveStack, peek, peeked, push, readStack } from "./implicit";

export const TRANSFER_FAULT: u32 = 0;
export const TRANSFER_NOT: u32 = 1;
export const TRANSFER_TAKEN: u32 = 2;

/** Where a taken transfer leads: linear. */
export let transferTarget: u64 = 0;

const RCX = REGS + 8;

// @ts-ignore: decorator
@inline
function wrap(offset: u64, log2: u32): u64 {
  return log2 == 1 ? offset & 0xffff : log2 == 2 ? offset & 0xffffffff : offset;
}

/** Offset in CS of the instruction behind. */
function nextOffset(pc: u32): u64 {
  return load<u64>(PAGE_BASE) + load<u16>(pc, UOP_NEXT) - load<u64>(SEG_BASE + CS * 8);
}

function goTo(offset: u64, log2: u32): u32 {
  const linear = load<u64>(SEG_BASE + CS * 8) + wrap(offset, log2);
  transferTarget = load<u32>(CODE_BITS) == 64 ? linear : linear & 0xffffffff;
  return TRANSFER_TAKEN;
}

/** A direct one: IMM counts from the page. */
function goDirect(pc: u32, log2: u32): u32 {
  return goTo(nextOffset(pc) + load<u64>(pc, UOP_IMM) - load<u16>(pc, UOP_NEXT), log2);
}

function register(pc: u32, log2: u32): u64 {
  return wrap(load<u64>(load<u16>(pc, UOP_A)), log2);
}

/** LOOPNE, LOOPE, LOOP: the counter goes down without touching flags. JCXZ only looks. */
function counted(pc: u32): bool {
  const log2 = load<u16>(pc, UOP_B);
  const kind = load<u16>(pc, UOP_A);
  if (kind == 3) return wrap(load<u64>(RCX), log2) == 0;
  const count = wrap(load<u64>(RCX) - 1, log2);
  if (log2 == 1) store<u16>(RCX, <u16>count);
  else store<u64>(RCX, count);
  return count != 0 && (kind == 2 || zero() == kind);
}

export function transfer(op: i32, pc: u32, linear: u64): u32 {
  const log2 = <u32>op & 3;
  const size: u32 = 1 << log2;
  switch (op & ~3) {
    case OP_JMP_ANY: return goDirect(pc, log2);
    case OP_JCC_ANY: return condition(load<u16>(pc, UOP_A)) ? goDirect(pc, log2) : TRANSFER_NOT;
    case OP_CALL_ANY: return push(nextOffset(pc), size) ? goDirect(pc, log2) : TRANSFER_FAULT;
    case OP_JMP_ANY_R: return goTo(register(pc, log2), log2);
    case OP_JMP_ANY_M: return peek(linear, size) ? goTo(peeked, log2) : TRANSFER_FAULT;
    case OP_CALL_ANY_R: {
      const target = register(pc, log2);
      return push(nextOffset(pc), size) ? goTo(target, log2) : TRANSFER_FAULT;
    }
    case OP_CALL_ANY_M: {
      if (!peek(linear, size)) return TRANSFER_FAULT;
      const target = peeked;
      return push(nextOffset(pc), size) ? goTo(target, log2) : TRANSFER_FAULT;
    }
    case OP_RET_ANY: {
      if (!readStack(0, size)) return TRANSFER_FAULT;
      const target = peeked;
      moveStack(size + load<u32>(pc, UOP_IMM));
      return goTo(target, log2);
    }
    default: return counted(pc) ? goDirect(pc, log2) : TRANSFER_NOT;
  }
}
