// The x87's register stack and status word, and how its instructions begin and end.
import {
  CS, FPU_CONTROL, FPU_DP, FPU_IP, FPU_REGS, FPU_STATUS, FPU_TAG, PAGE_BASE, SEG_BASE, UOP_LENGTH, UOP_NEXT,
} from "../src/layout";
import { BEFORE_OPERATION, env, INEXACT, INVALID, Num, unpack80 } from "./soft-number";
import { pack80 } from "./soft-round";

/** Bits of the status word. */
export const STACK_FAULT: u32 = 0x40;
export const SUMMARY: u32 = 0x80;
export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
export const BUSY: u32 = 0x8000;
const CONDITIONS: u32 = C0 | C1 | C2 | C3;
const EXCEPTIONS: u32 = 0x3f;

// @ts-ignore: decorator
@inline
export function top(): u32 {
  return (load<u16>(FPU_STATUS) >> 11) & 7;
}

export function setTop(value: u32): void {
  store<u16>(FPU_STATUS, (load<u16>(FPU_STATUS) & ~0x3800) | ((value & 7) << 11));
}

// @ts-ignore: decorator
@inline
function physical(i: u32): u32 {
  return (top() + i) & 7;
}

/** Host address of ST(i). */
export function st(i: u32): u32 {
  return FPU_REGS + (physical(i) << 4);
}

export function isEmpty(i: u32): bool {
  return ((load<u16>(FPU_TAG) >> physical(i)) & 1) == 0;
}

export function markFull(i: u32): void {
  store<u16>(FPU_TAG, load<u16>(FPU_TAG) | (<u32>1 << physical(i)));
}

export function markEmpty(i: u32): void {
  store<u16>(FPU_TAG, load<u16>(FPU_TAG) & ~(<u32>1 << physical(i)));
}

/** Pops `times` registers. */
export function pop(times: u32): void {
  for (; times; times--) {
    markEmpty(0);
    setTop(top() + 1);
  }
}

export function loadSt(n: Num, i: u32): void {
  unpack80(n, st(i));
}

/** ST(i) = a number that is rounded already. */
export function storeSt(i: u32, n: Num): void {
  pack80(n, st(i));
  markFull(i);
}

export function storeIndefinite(i: u32): void {
  const at = st(i);
  store<u64>(at, 0xc000_0000_0000_0000);
  store<u16>(at, 0xffff, 8);
  markFull(i);
}

/** Takes rounding, precision and masks from the control word; the condition code C1 becomes 0. */
export function beginX87(): void {
  const control = load<u16>(FPU_CONTROL);
  env.raised = 0;
  env.rounding = (control >> 10) & 3;
  env.masked = control & EXCEPTIONS;
  env.denormalsAreZero = 0;
  env.flushToZero = 0;
  env.x87 = 1;
  const precision = (control >> 8) & 3;
  env.precision = precision == 0 ? 24 : precision == 2 ? 53 : 64;
  env.roundedUp = 0;
  store<u16>(FPU_STATUS, load<u16>(FPU_STATUS) & ~C1);
}

/** An operand's register is empty (C1 = 0), or a push would overwrite a full one (C1 = 1). */
export function stackFault(overflow: bool): void {
  env.raised |= INVALID;
  store<u16>(FPU_STATUS, load<u16>(FPU_STATUS) | STACK_FAULT | (overflow ? C1 : 0));
}

/** Whether a result may be stored: no exception that was found before the operation is unmasked. */
export function mayStore(): bool {
  return (env.raised & ~env.masked & BEFORE_OPERATION) == 0;
}

/** The same for a result in memory, which unmasked overflow and underflow keep out too. */
export function mayStoreMemory(): bool {
  return (env.raised & ~env.masked & ~INEXACT) == 0;
}

/** Sets the exception flags, the summary of unmasked ones, and C1 where an inexact result was rounded up. */
export function finishX87(): void {
  let raised = env.raised;
  if (raised & ~env.masked & BEFORE_OPERATION) raised &= BEFORE_OPERATION;
  let status = load<u16>(FPU_STATUS) | raised;
  if (raised & INEXACT && env.roundedUp) status |= C1;
  if (raised & ~env.masked) status |= SUMMARY | BUSY;
  store<u16>(FPU_STATUS, status);
}

/** C3, C2, C1 and C0. */
export function setConditions(bits: u32): void {
  store<u16>(FPU_STATUS, (load<u16>(FPU_STATUS) & ~CONDITIONS) | bits);
}

/** After the control or status word was loaded: is any exception unmasked? */
export function summarise(): void {
  const status = load<u16>(FPU_STATUS);
  const pending = status & ~load<u16>(FPU_CONTROL) & EXCEPTIONS;
  store<u16>(FPU_STATUS, pending ? status | SUMMARY | BUSY : status & ~(SUMMARY | BUSY));
}

/** Where the last instruction that isn't a control instruction was, as offsets in CS and the data segment (whose base is 0). */
export function remember(uop: u32, address: u64, hasMemory: bool): void {
  store<u64>(FPU_IP, load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT) - load<u8>(uop, UOP_LENGTH) - load<u64>(SEG_BASE + CS * 8));
  if (hasMemory) store<u64>(FPU_DP, address);
}
