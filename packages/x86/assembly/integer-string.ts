// MOVS, CMPS, STOS, LODS, SCAS. Every element is committed before the next, so that a fault or the end of the budget in
// the middle leaves an instruction that goes on where it was. Forward MOVS and STOS go page by page.
import { EFLAGS_REST, ES, FS, REGS, SEG_BASE, TLB_ENTRIES, UOP_IMM } from "../src/layout";
import { OP_CMPS, OP_LODS, OP_MOVS, OP_SCAS, OP_STOS } from "../src/ops/integer";
import { CC_SUB, setFlags } from "./flags";
import { put } from "./operands";
import { dataTlb, readable, writable, write } from "./tlb";

export const STRING_FAULT: u32 = 0;
export const STRING_DONE: u32 = 1;
/** Not finished: the run may end here, RIP at the instruction. */
export const STRING_PAUSED: u32 = 2;

const RAX = REGS;
const RCX = REGS + 8;
const RSI = REGS + 48;
const RDI = REGS + 56;

/** Bits of IMM: src/ops/integer.ts. */
const OUTSIDE_64: u32 = 0x20;
const REPE: u32 = 0x40;
const REPNE: u32 = 0x80;

const DF: u32 = 0x400;

/** Work until a REP pauses, in bytes for whole pages; an element on its own counts as 16. */
const PATIENCE: i32 = 1 << 20;

let how: u32 = 0;

// @ts-ignore: decorator
@inline
function masked(value: u64): u64 {
  const log2 = how & 3;
  return log2 == 3 ? value : log2 == 2 ? value & 0xffffffff : value & 0xffff;
}

// @ts-ignore: decorator
@inline
function linearOf(offset: u64, segment: u32): u64 {
  if (!(how & OUTSIDE_64)) return segment >= <u32>FS ? offset + load<u64>(SEG_BASE + (segment << 3)) : offset;
  return (offset + load<u64>(SEG_BASE + (segment << 3))) & 0xffffffff;
}

// @ts-ignore: decorator
@inline
function source(): u64 {
  return linearOf(masked(load<u64>(RSI)), (how >> 2) & 7);
}

// @ts-ignore: decorator
@inline
function destination(): u64 {
  return linearOf(masked(load<u64>(RDI)), ES);
}

// @ts-ignore: decorator
@inline
function advance(register: u32, by: u64): void {
  const value = load<u64>(register) + by;
  if ((how & 3) == 3) store<u64>(register, value);
  else if ((how & 3) == 2) store<u64>(register, value & 0xffffffff);
  else store<u16>(register, <u16>value);
}

/** Elements of T that fit in the page of `linear`, whole. */
// @ts-ignore: decorator
@inline
function inPage<T>(linear: u64): u64 {
  return <u64>(4096 - (<u32>linear & 0xfff)) / sizeof<T>();
}

/** How many elements an index register's width lets go forward without wrapping. */
// @ts-ignore: decorator
@inline
function untilWrap<T>(register: u32): u64 {
  if ((how & 3) == 3) return <u64>-1;
  const room: u64 = (how & 3) == 2 ? 0x100000000 : 0x10000;
  return (room - masked(load<u64>(register))) / sizeof<T>();
}

/** Host address behind a page that the TLB knows for reading, else 0: an element on its own then makes it known. */
// @ts-ignore: decorator
@inline
function known(linear: u64): u32 {
  const entry = dataTlb + ((<u32>(linear >> 12) & (TLB_ENTRIES - 1)) << 5);
  return load<u64>(entry) == (linear & ~0xfff) ? <u32>linear + load<u32>(entry, 16) : 0;
}

/** Moves as many elements as pages allow in one go, at most `count`. 0: none, one element must go on its own. */
function movsBulk<T>(count: u64): u64 {
  const from = source();
  const to = destination();
  let n = min<u64>(min<u64>(count, inPage<T>(from)), inPage<T>(to));
  n = min<u64>(min<u64>(n, untilWrap<T>(RSI)), untilWrap<T>(RDI));
  if (n < 2) return 0;
  const read = known(from);
  const written = writable(to, 1);
  if (!read || !written) return 0;
  const bytes = <u32>n * sizeof<T>();
  // A destination a little above its source repeats what was just written.
  if (written - read >= bytes) memory.copy(written, read, bytes);
  else for (let i: u32 = 0; i < bytes; i += sizeof<T>()) store<T>(written + i, load<T>(read + i));
  return n;
}

function stosBulk<T>(count: u64): u64 {
  const to = destination();
  const n = min<u64>(min<u64>(count, inPage<T>(to)), untilWrap<T>(RDI));
  if (n < 2) return 0;
  const written = writable(to, 1);
  if (!written) return 0;
  const bytes = <u32>n * sizeof<T>();
  const value = load<T>(RAX);
  if (sizeof<T>() == 1 || value == 0) memory.fill(written, <u8>value, bytes);
  else for (let i: u32 = 0; i < bytes; i += sizeof<T>()) store<T>(written + i, value);
  return n;
}

function movs<T>(step: u64): bool {
  const at = readable(source(), sizeof<T>());
  if (!at || !write<T>(destination(), load<T>(at))) return false;
  advance(RSI, step);
  advance(RDI, step);
  return true;
}

function stos<T>(step: u64): bool {
  if (!write<T>(destination(), load<T>(RAX))) return false;
  advance(RDI, step);
  return true;
}

function lods<T>(step: u64): bool {
  const at = readable(source(), sizeof<T>());
  if (!at) return false;
  put<T>(RAX, load<T>(at));
  advance(RSI, step);
  return true;
}

/** MOVS, STOS, LODS: REP ends by the count alone. */
function plain<T>(kind: i32): u32 {
  const forward = !(load<u32>(EFLAGS_REST) & DF);
  const step: u64 = forward ? sizeof<T>() : -sizeof<T>();
  if (!(how & (REPE | REPNE))) {
    const done = kind == OP_MOVS ? movs<T>(step) : kind == OP_STOS ? stos<T>(step) : lods<T>(step);
    return done ? STRING_DONE : STRING_FAULT;
  }
  let patience = PATIENCE;
  let count = masked(load<u64>(RCX));
  while (count) {
    let n: u64 = 0;
    if (forward && kind != OP_LODS) {
      n = kind == OP_MOVS ? movsBulk<T>(count) : stosBulk<T>(count);
      if (n) {
        if (kind == OP_MOVS) advance(RSI, n * sizeof<T>());
        advance(RDI, n * sizeof<T>());
        patience -= <i32>(n * sizeof<T>());
      }
    }
    if (!n) {
      if (!(kind == OP_MOVS ? movs<T>(step) : kind == OP_STOS ? stos<T>(step) : lods<T>(step))) return STRING_FAULT;
      n = 1;
      patience -= 16;
    }
    advance(RCX, -n);
    count -= n;
    if (patience < 0 && count) return STRING_PAUSED;
  }
  return STRING_DONE;
}

/** CMPS and SCAS. Flags change when the instruction is done, not before a fault in its middle (Intel SDM, REP). */
function compare<T>(kind: i32): u32 {
  const step: u64 = load<u32>(EFLAGS_REST) & DF ? -sizeof<T>() : sizeof<T>();
  const repeats = (how & (REPE | REPNE)) != 0;
  let patience = PATIENCE;
  let count: u64 = repeats ? masked(load<u64>(RCX)) : 1;
  if (!count) return STRING_DONE;
  while (true) {
    let a: T;
    if (kind == OP_CMPS) {
      const at = readable(source(), sizeof<T>());
      if (!at) return STRING_FAULT;
      a = load<T>(at);
    } else a = load<T>(RAX);
    const at = readable(destination(), sizeof<T>());
    if (!at) return STRING_FAULT;
    const b = load<T>(at);
    if (kind == OP_CMPS) advance(RSI, step);
    advance(RDI, step);
    count--;
    if (repeats) advance(RCX, -1);
    if (!count || (how & REPE ? a != b : a == b)) {
      setFlags<T>(CC_SUB, <T>(a - b), b);
      return STRING_DONE;
    }
    patience -= 16;
    if (patience < 0) return STRING_PAUSED;
  }
}

/** XLAT: AL = [RBX + AL]. */
export function xlat(pc: u32): bool {
  how = load<u32>(pc, UOP_IMM);
  const at = readable(linearOf(masked(load<u64>(REGS + 24) + load<u8>(RAX)), (how >> 2) & 7), 1);
  if (!at) return false;
  store<u8>(RAX, load<u8>(at));
  return true;
}

function sized<T>(kind: i32): u32 {
  return kind == OP_CMPS || kind == OP_SCAS ? compare<T>(kind) : plain<T>(kind);
}

/** One string instruction, or as much of a REP as fits in one go. */
export function stringOperation(op: i32, pc: u32): u32 {
  how = load<u32>(pc, UOP_IMM);
  const kind = op & ~3;
  switch (op & 3) {
    case 0: return sized<i8>(kind);
    case 1: return sized<i16>(kind);
    case 2: return sized<i32>(kind);
    default: return sized<i64>(kind);
  }
}
