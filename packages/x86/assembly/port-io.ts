// IN, OUT, INS, OUTS. Each ends the run with RIP at the instruction; done again with COMPLETING it takes the answer.
import {
  COMPLETING, CPL, EFLAGS_REST, ES, EXIT_ARG0, EXIT_ARG1, EXIT_ARG2, EXIT_IO, IO_DATA, IO_DATA_BYTES, PENDING, PENDING_IO,
  PENDING_NONE, REGS, SEG_BASE, SEG_LIMIT, TR, UOP_B, UOP_IMM,
} from "../src/layout";
import { SYS_FLAG, SYS_REP } from "../src/ops/system";
import { writeAllowed } from "./access";
import { exitAtInstruction, fault, VECTOR_GP } from "./fault";
import { peek, peeked, peekSystem, poke } from "./implicit";
import { is64BitCode, isProtected } from "./modes";
import { again, getRegister, numberOf, setRegister, sizeOf, SYSTEM_FAULT, SYSTEM_NEXT } from "./system-operands";

const RAX: u32 = REGS;
const RCX: u32 = REGS + 8;
const RDX: u32 = REGS + 16;
const RSI: u32 = REGS + 48;
const RDI: u32 = REGS + 56;
const FLAG_DF: u64 = 1 << 10;
const IS_OUT: u32 = 1 << 24;
const IS_STRING: u32 = 1 << 25;
const HAS_REP: u32 = 1 << 26;

/** Above IOPL the TSS's bitmap decides: a clear bit for each port of the access. */
function allowed(port: u32, size: u32): bool {
  if (!isProtected() || load<u32>(CPL) <= (<u32>load<u64>(EFLAGS_REST) >> 12 & 3)) return true;
  const limit = load<u32>(SEG_LIMIT + TR * 4);
  const base = load<u64>(SEG_BASE + TR * 8);
  if (limit < 103) return fault(VECTOR_GP, 0);
  if (!peekSystem(base + 102, 2)) return false;
  // Two bytes, so that an access across a byte's end is seen whole.
  const at = <u32>peeked + (port >> 3);
  if (at + 1 > limit) return fault(VECTOR_GP, 0);
  if (!peekSystem(base + at, 2)) return false;
  return (<u32>peeked >> (port & 7)) & ((1 << size) - 1) ? fault(VECTOR_GP, 0) : true;
}

function takeAnswer(): bool {
  if (!load<u32>(COMPLETING) || load<u32>(PENDING) != PENDING_IO) return false;
  store<u32>(PENDING, PENDING_NONE);
  return true;
}

function ask(port: u32, size: u32, kind: u32, items: u32, value: u64): u32 {
  store<u64>(EXIT_ARG0, port | (size << 16) | kind);
  store<u64>(EXIT_ARG1, value);
  store<u64>(EXIT_ARG2, items);
  store<u64>(IO_DATA, value);
  store<u32>(PENDING, PENDING_IO);
  exitAtInstruction(EXIT_IO);
  return SYSTEM_FAULT;
}

export function portIn(uop: u32): u32 {
  const size = sizeOf(uop);
  if (takeAnswer()) {
    setRegister(RAX, size, getRegister(IO_DATA, size));
    return SYSTEM_NEXT;
  }
  const port: u32 = load<u32>(uop, UOP_IMM) & SYS_FLAG ? numberOf(uop) : load<u16>(RDX);
  if (!allowed(port, size)) return SYSTEM_FAULT;
  return ask(port, size, 0, 1, 0);
}

export function portOut(uop: u32): u32 {
  if (takeAnswer()) return SYSTEM_NEXT;
  const size = sizeOf(uop);
  const port: u32 = load<u32>(uop, UOP_IMM) & SYS_FLAG ? numberOf(uop) : load<u16>(RDX);
  if (!allowed(port, size)) return SYSTEM_FAULT;
  return ask(port, size, IS_OUT, 1, getRegister(RAX, size));
}

/** Linear address of a string operand. */
function stringAddress(base: u64, offset: u64): u64 {
  return is64BitCode() ? base + offset : (base + offset) & 0xffffffff;
}

function advance(register: u32, addressBytes: u32, by: u32): void {
  const value = getRegister(register, addressBytes);
  setRegister(register, addressBytes, load<u64>(EFLAGS_REST) & FLAG_DF ? value - by : value + by);
}

/** Behind an item of a REP instruction: it is begun again while its count isn't 0, so that interrupts can come between. */
function afterItems(uop: u32, addressBytes: u32, items: u32): u32 {
  if (!isRepeated(uop)) return SYSTEM_NEXT;
  const left = getRegister(RCX, addressBytes) - items;
  setRegister(RCX, addressBytes, left);
  return left ? again(uop) : SYSTEM_NEXT;
}

// @ts-ignore: decorator
@inline
function isRepeated(uop: u32): bool {
  return (load<u32>(uop, UOP_IMM) & SYS_REP) != 0;
}

export function portIns(uop: u32): u32 {
  const size = sizeOf(uop);
  const addressBytes = numberOf(uop);
  const rep = isRepeated(uop);
  const left: u64 = rep ? getRegister(RCX, addressBytes) : 1;
  if (!left) return SYSTEM_NEXT;
  const linear = stringAddress(is64BitCode() ? 0 : load<u64>(SEG_BASE + ES * 8), getRegister(RDI, addressBytes));
  if (takeAnswer()) {
    const items = <u32>load<u64>(EXIT_ARG2);
    for (let i: u32 = 0; i < items; i++)
      if (!poke(linear + i * size, size, getRegister(IO_DATA + i * size, size))) return SYSTEM_FAULT;
    advance(RDI, addressBytes, items * size);
    return afterItems(uop, addressBytes, items);
  }
  const port: u32 = load<u16>(RDX);
  if (!allowed(port, size)) return SYSTEM_FAULT;
  // What the device gives must find its place: pages are checked before it is asked.
  if (!writeAllowed(linear, size)) return SYSTEM_FAULT;
  let items: u32 = 1;
  if (rep && !(load<u64>(EFLAGS_REST) & FLAG_DF)) {
    items = (4096 - (<u32>linear & 0xfff)) / size;
    if (items > <u32>IO_DATA_BYTES / size) items = <u32>IO_DATA_BYTES / size;
    if (items > left) items = <u32>left;
    if (!items) items = 1;
  }
  return ask(port, size, rep ? IS_STRING | HAS_REP : IS_STRING, items, 0);
}

export function portOuts(uop: u32): u32 {
  const size = sizeOf(uop);
  const addressBytes = numberOf(uop);
  const rep = isRepeated(uop);
  if (rep && !getRegister(RCX, addressBytes)) return SYSTEM_NEXT;
  if (takeAnswer()) {
    advance(RSI, addressBytes, size);
    return afterItems(uop, addressBytes, 1);
  }
  const port: u32 = load<u16>(RDX);
  if (!allowed(port, size)) return SYSTEM_FAULT;
  const linear = stringAddress(load<u64>(load<u16>(uop, UOP_B)), getRegister(RSI, addressBytes));
  if (!peek(linear, size)) return SYSTEM_FAULT;
  return ask(port, size, rep ? IS_OUT | IS_STRING | HAS_REP : IS_OUT | IS_STRING, 1, peeked);
}
