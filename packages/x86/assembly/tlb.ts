// The data TLB's fast path, inlined into every access, and the way out of it.
import {
  BOUNCE, CODE_BITS, CPL, EXEC_GLOBAL, EXEC_TLB_ENTRIES, EXEC_TLB_SUPERVISOR, EXEC_TLB_USER, LARGE_1G, LARGE_2M,
  TLB_ENTRIES, TLB_SUPERVISOR, TLB_USER, WALK_CACHE, WALK_CACHE_ENTRIES,
} from "../src/layout";
import { readSlow, writeSlow, readWriteSlow } from "./access";

/** The data and code TLB of the current privilege. Set by `selectTlb` whenever CPL changes. */
export let dataTlb: u32 = TLB_SUPERVISOR;
export let execTlb: u32 = EXEC_TLB_SUPERVISOR;

/** Bitness of the code that each code TLB's jump tables are for: supervisor's, user's. */
let supervisorBits: u32 = 0;
let userBits: u32 = 0;

/** To be called after every change of CPL or CODE_BITS. */
export function selectTlb(): void {
  const user = load<u32>(CPL) == 3;
  dataTlb = user ? TLB_USER : TLB_SUPERVISOR;
  execTlb = user ? EXEC_TLB_USER : EXEC_TLB_SUPERVISOR;
  const bits = load<u32>(CODE_BITS);
  if (bits == (user ? userBits : supervisorBits)) return;
  memory.fill(execTlb, 0xff, EXEC_TLB_ENTRIES * 16);
  if (user) userBits = bits;
  else supervisorBits = bits;
}

/** Data accesses have a supervisor's rights from now on, as the processor's own to its tables have; answers what to `restoreTlb`. */
export function borrowSupervisor(): u32 {
  const was = dataTlb;
  dataTlb = TLB_SUPERVISOR;
  return was;
}

export function restoreTlb(was: u32): void {
  dataTlb = was;
}

/** All that was learned of the guest's mappings. Tags no address can have: all ones. */
export function flushMappings(): void {
  memory.fill(TLB_SUPERVISOR, 0xff, TLB_ENTRIES * 64);
  memory.fill(EXEC_TLB_SUPERVISOR, 0xff, EXEC_TLB_ENTRIES * 32);
  memory.fill(LARGE_2M, 0, 1024);
  memory.fill(LARGE_1G, 0, 256);
}

/** Also what the host said of frames. */
export function flushTlbs(): void {
  flushMappings();
  memory.fill(WALK_CACHE, 0, WALK_CACHE_ENTRIES * 8);
}

/** The host page `frame` holds code from now on: writes to it must ask first. */
export function protectFrame(frame: u32): void {
  for (let entry: u32 = TLB_SUPERVISOR; entry < <u32>TLB_SUPERVISOR + TLB_ENTRIES * 64; entry += 32)
    if (load<u32>(entry, 8) + load<u32>(entry, 16) == frame) store<u64>(entry, -1, 8);
}

/** What was decoded from the host page `frame` is gone. */
export function forgetCode(frame: u32): void {
  for (let entry: u32 = EXEC_TLB_SUPERVISOR; entry < <u32>EXEC_TLB_SUPERVISOR + EXEC_TLB_ENTRIES * 32; entry += 16)
    if (load<u32>(entry, 12) == frame) store<u64>(entry, -1);
}

/** What a write of CR3 drops: all but global pages. */
export function flushNonGlobal(): void {
  for (let entry: u32 = TLB_SUPERVISOR; entry < <u32>TLB_SUPERVISOR + TLB_ENTRIES * 64; entry += 32)
    if (!load<u32>(entry, 20)) {
      store<u64>(entry, -1);
      store<u64>(entry, -1, 8);
    }
  for (let index: u32 = 0; index < <u32>EXEC_TLB_ENTRIES * 2; index++)
    if (!load<u8>(EXEC_GLOBAL + index)) store<u64>(EXEC_TLB_SUPERVISOR + (index << 4), -1);
}

/** A large page is in the TLBs in parts of 4 KiB: INVLPG must find them all. */
export function noteLargePage(linear: u64, sizeBits: u32): void {
  if (sizeBits == 30) store<u8>(LARGE_1G + (<u32>(linear >> 30) & 255), 1);
  else {
    // 4 MiB pages: both halves.
    const region = <u32>(linear >> 21);
    store<u8>(LARGE_2M + (region & 1023), 1);
    if (sizeBits == 22) store<u8>(LARGE_2M + ((region ^ 1) & 1023), 1);
  }
}

/** INVLPG: the page of `linear`, global or not, whatever its size was. */
export function invalidatePage(linear: u64): void {
  let shift: u64 = 12;
  if (load<u8>(LARGE_1G + (<u32>(linear >> 30) & 255))) shift = 30;
  else if (load<u8>(LARGE_2M + (<u32>(linear >> 21) & 1023))) shift = 22;
  if (shift == 12) {
    const data: u32 = (<u32>(linear >> 12) & (TLB_ENTRIES - 1)) << 5;
    const exec: u32 = (<u32>(linear >> 12) & (EXEC_TLB_ENTRIES - 1)) << 4;
    dropIfIn(TLB_SUPERVISOR + data, linear, shift, true);
    dropIfIn(TLB_USER + data, linear, shift, true);
    dropIfIn(EXEC_TLB_SUPERVISOR + exec, linear, shift, false);
    dropIfIn(EXEC_TLB_USER + exec, linear, shift, false);
    return;
  }
  for (let entry: u32 = TLB_SUPERVISOR; entry < <u32>TLB_SUPERVISOR + TLB_ENTRIES * 64; entry += 32)
    dropIfIn(entry, linear, shift, true);
  for (let entry: u32 = EXEC_TLB_SUPERVISOR; entry < <u32>EXEC_TLB_SUPERVISOR + EXEC_TLB_ENTRIES * 32; entry += 16)
    dropIfIn(entry, linear, shift, false);
}

/** An entry's read tag is set wherever its write tag is. */
// @ts-ignore: decorator
@inline
function dropIfIn(entry: u32, linear: u64, shift: u64, isData: bool): void {
  if ((load<u64>(entry) ^ linear) >> shift) return;
  store<u64>(entry, -1);
  if (isData) store<u64>(entry, -1, 8);
}

/**
 * Host address of `size` bytes at a linear address for reading; BOUNCE where they were put together from two pages or
 * from a device; 0 on a fault (FAULT_* or EXIT_* is set). The last byte's page is compared with the tag of the first
 * one's entry, so that an access across pages never hits.
 */
// @ts-ignore: decorator
@inline
export function readable(linear: u64, size: u32): u32 {
  const entry = dataTlb + (<u32>(linear >> 7) & ((TLB_ENTRIES - 1) << 5));
  return load<u64>(entry) == ((linear + (size - 1)) & ~0xfff)
    ? <u32>linear + load<u32>(entry, 16)
    : readSlow(linear, size);
}

/**
 * Host address of `size` bytes for a write of which nothing is read; 0 where the access isn't a plain one: then
 * `storeSlow` does it whole.
 */
// @ts-ignore: decorator
@inline
export function writable(linear: u64, size: u32): u32 {
  const entry = dataTlb + (<u32>(linear >> 7) & ((TLB_ENTRIES - 1) << 5));
  return load<u64>(entry, 8) == ((linear + (size - 1)) & ~0xfff) ? <u32>linear + load<u32>(entry, 16) : 0;
}

/** Writes a value. False on a fault: nothing was written. */
// @ts-ignore: decorator
@inline
export function write<T>(linear: u64, value: T): bool {
  const at = writable(linear, sizeof<T>());
  if (at) {
    store<T>(at, value);
    return true;
  }
  return writeSlow(linear, sizeof<T>(), <u64>value);
}

/**
 * Host address of `size` bytes that are read and then written: nothing of the instruction may be committed before this
 * has succeeded. BOUNCE: `finishWrite` must follow the store. 0 on a fault.
 */
// @ts-ignore: decorator
@inline
export function updatable(linear: u64, size: u32): u32 {
  const at = writable(linear, size);
  return at ? at : readWriteSlow(linear, size);
}

/** After a store to what `updatable` answered. False on a fault or exit. */
// @ts-ignore: decorator
@inline
export function finishWrite(at: u32, linear: u64, size: u32): bool {
  return at != BOUNCE || writeSlow(linear, size, load<u64>(BOUNCE));
}
