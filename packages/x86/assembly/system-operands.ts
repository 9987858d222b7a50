// What a system micro-op's fields name: see src/ops/system.ts.
import { CPL, CS, PAGE_BASE, RIP, SEG_BASE, UOP_A, UOP_IMM, UOP_LENGTH, UOP_NEXT } from "../src/layout";
import { SYS_MEMORY, SYS_NUMBER_SHIFT, SYS_SIZE } from "../src/ops/system";
import { fault, VECTOR_GP } from "./fault";
import { peek, peeked, poke } from "./implicit";
import { is64BitCode } from "./modes";

/** Answers of `system`. Any other value ends the run as that EXIT_*, RIP being set by the micro-op. */
export const SYSTEM_NEXT: u32 = 0x100;
export const SYSTEM_ENTER: u32 = 0x101;
export const SYSTEM_FAULT: u32 = 0x102;
/** Like SYSTEM_ENTER, but IF or TF has become 1: the loop around the run loop has to look. */
export const SYSTEM_EVENTS: u32 = 0x103;

// @ts-ignore: decorator
@inline
export function sizeOf(uop: u32): u32 {
  return load<u32>(uop, UOP_IMM) & SYS_SIZE;
}

// @ts-ignore: decorator
@inline
export function numberOf(uop: u32): u32 {
  return load<u32>(uop, UOP_IMM) >> SYS_NUMBER_SHIFT;
}

// @ts-ignore: decorator
@inline
export function hasMemory(uop: u32): bool {
  return (load<u32>(uop, UOP_IMM) & SYS_MEMORY) != 0;
}

/** RIP of the instruction behind this one. */
export function nextRip(uop: u32): u64 {
  const rip = load<u64>(PAGE_BASE) + load<u16>(uop, UOP_NEXT) - load<u64>(SEG_BASE + CS * 8);
  return is64BitCode() ? rip : rip & 0xffffffff;
}

/** Goes on behind this instruction, decoding anew: what follows may mean something else by now. */
export function leave(uop: u32): u32 {
  store<u64>(RIP, nextRip(uop));
  return SYSTEM_ENTER;
}

/** Does this instruction again, at a boundary where interrupts can come. */
export function again(uop: u32): u32 {
  const rip = nextRip(uop) - load<u8>(uop, UOP_LENGTH);
  store<u64>(RIP, is64BitCode() ? rip : rip & 0xffffffff);
  return SYSTEM_ENTER;
}

// @ts-ignore: decorator
@inline
export function next(done: bool): u32 {
  return done ? SYSTEM_NEXT : SYSTEM_FAULT;
}

// @ts-ignore: decorator
@inline
export function enter(done: bool): u32 {
  return done ? SYSTEM_ENTER : SYSTEM_FAULT;
}

/** #GP(0) where CPL isn't 0. */
// @ts-ignore: decorator
@inline
export function privileged(): bool {
  return load<u32>(CPL) == 0 ? true : fault(VECTOR_GP, 0);
}

export function getRegister(at: u32, size: u32): u64 {
  if (size == 8) return load<u64>(at);
  if (size == 4) return load<u32>(at);
  return size == 2 ? load<u16>(at) : load<u8>(at);
}

/** A write of 32 bits clears the upper half. */
export function setRegister(at: u32, size: u32, value: u64): void {
  if (size == 8) store<u64>(at, value);
  else if (size == 4) store<u64>(at, <u32>value);
  else if (size == 2) store<u16>(at, <u16>value);
  else store<u8>(at, <u8>value);
}

/** The 16-bit operand of LLDT and its kin, in memory or in the register that UOP field `field` names; into `operand`. */
export let operand: u32 = 0;
export function readSelector(uop: u32, address: u64, register: u32): bool {
  if (hasMemory(uop)) {
    if (!peek(address, 2)) return false;
    operand = <u32>peeked;
  } else operand = load<u16>(register);
  return true;
}

/** To a register of the operand's size, or 16 bits to memory. */
export function writeWord(uop: u32, address: u64, value: u64): bool {
  if (hasMemory(uop)) return poke(address, 2, value);
  setRegister(load<u16>(uop, UOP_A), sizeOf(uop), value);
  return true;
}
