// The data TLB's fast path, inlined into every access, and the way out of it.
import {
  ACCESS_READ, ACCESS_WRITE, BOUNCE, TLB_ENTRIES, TLB_SUPERVISOR, TLB_USER, EXEC_TLB_ENTRIES, EXEC_TLB_SUPERVISOR,
  EXEC_TLB_USER, CPL,
} from "../src/layout";
import { readSlow, writeSlow, readWriteSlow } from "./access";

/** The data and code TLB of the current privilege. Set by `selectTlb` whenever CPL changes. */
export let dataTlb: u32 = TLB_SUPERVISOR;
export let execTlb: u32 = EXEC_TLB_SUPERVISOR;

/** To be called after every change of CPL. */
export function selectTlb(): void {
  const user = load<u32>(CPL) == 3;
  dataTlb = user ? TLB_USER : TLB_SUPERVISOR;
  execTlb = user ? EXEC_TLB_USER : EXEC_TLB_SUPERVISOR;
}

/** Tags no address can have: all ones. */
export function flushTlbs(): void {
  memory.fill(TLB_SUPERVISOR, 0xff, TLB_ENTRIES * 64);
  memory.fill(EXEC_TLB_SUPERVISOR, 0xff, EXEC_TLB_ENTRIES * 32);
}

/**
 * Host address of `size` bytes at a linear address for reading; BOUNCE where they were put together from two pages or
 * from a device; 0 on a fault (FAULT_* or EXIT_* is set). The last byte's page is compared with the tag of the first
 * one's entry, so that an access across pages never hits.
 */
// @ts-ignore: decorator
@inline
export function readable(linear: u64, size: u32): u32 {
  const entry = dataTlb + ((<u32>(linear >> 12) & (TLB_ENTRIES - 1)) << 5);
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
  const entry = dataTlb + ((<u32>(linear >> 12) & (TLB_ENTRIES - 1)) << 5);
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
