// Slow paths of memory accesses: a TLB miss, an access across two pages, a device, a code page.
import {
  ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, BOUNCE, CODE_OF_FRAME, EXEC_GLOBAL, EXEC_TLB_ENTRIES, EXEC_TLB_SUPERVISOR,
  EXIT_ARG0, EXIT_ARG1, EXIT_ARG2, EXIT_MMIO, TLB_ENTRIES,
} from "../src/layout";
import { exitAtInstruction } from "./fault";
import { codePage, codeWritten, mmio } from "./host";
import {
  NO_FRAME, translate, translatedGlobal, translatedGpa, translatedSizeBits, translatedWritable, TRANSLATE_FAULT,
} from "./paging";
import { dataTlb, execTlb, noteLargePage } from "./tlb";

/**
 * One page of an access: the host address behind `linear`, filling the TLB; NO_FRAME where a device answers (then
 * `translatedGpa` holds the GPA), TRANSLATE_FAULT with FAULT_* or EXIT_* set. A frame with decoded code never enters the
 * TLB's write tag, nor does a page whose D bit isn't set yet.
 */
function page(linear: u64, access: u32): u32 {
  const frame = translate(linear, access);
  if (frame == NO_FRAME || frame == TRANSLATE_FAULT) return frame;
  const tag = linear & ~0xfff;
  const entry: u32 = dataTlb + ((<u32>(linear >> 12) & (TLB_ENTRIES - 1)) << 5);
  store<u64>(entry, tag);
  store<u64>(entry, translatedWritable() && !load<u32>(CODE_OF_FRAME + (frame >> 10)) ? tag : -1, 8);
  store<u32>(entry, frame - <u32>tag, 16);
  store<u32>(entry, translatedGlobal() ? 1 : 0, 20);
  if (translatedSizeBits() != 12) noteLargePage(linear, translatedSizeBits());
  return frame | (<u32>linear & 0xfff);
}

/** The arguments are those of EXIT_MMIO already; where the owner has the answer, a read finds it in EXIT_ARG2. */
function askDevice(gpa: u64, size: u32, isWrite: u32, value: u64): bool {
  store<u64>(EXIT_ARG0, gpa);
  store<u64>(EXIT_ARG1, size | (isWrite << 8));
  store<u64>(EXIT_ARG2, value);
  if (mmio(<u32>gpa, <u32>(gpa >> 32), size, isWrite, <u32>value, <u32>(value >> 32))) return true;
  return exitAtInstruction(EXIT_MMIO);
}

/** Bytes of `size` from one page on into `to`. False on a fault. */
function readPart(linear: u64, size: u32, to: u32): bool {
  const at = page(linear, ACCESS_READ);
  if (at == TRANSLATE_FAULT) return false;
  if (at != NO_FRAME) {
    memory.copy(to, at, size);
    return true;
  }
  // A device is asked for 8 bytes at a time, as KVM does.
  const gpa = translatedGpa();
  for (let done: u32 = 0; done < size; done += 8) {
    const piece: u32 = size - done < 8 ? size - done : 8;
    if (!askDevice(gpa + done, piece, 0, 0)) return false;
    memory.copy(to + done, EXIT_ARG2, piece);
  }
  return true;
}

/** Of an access into the canonical hole the #GP comes before a #PF of its first page. `second`: where its second page begins. */
// @ts-ignore: decorator
@inline
function leavesLowerHalf(second: u64, access: u32): bool {
  return second == 0x8000_0000_0000 && page(second, access) == TRANSLATE_FAULT;
}

/** See `readable`: `size` is at most 16 bytes. */
export function readSlow(linear: u64, size: u32): u32 {
  const inFirst: u32 = 4096 - (<u32>linear & 0xfff);
  if (inFirst >= size) {
    const at = page(linear, ACCESS_READ);
    if (at == TRANSLATE_FAULT) return 0;
    if (at != NO_FRAME) return at;
    return readPart(linear, size, BOUNCE) ? BOUNCE : 0;
  }
  if (leavesLowerHalf(linear + inFirst, ACCESS_READ)) return 0;
  return readPart(linear, inFirst, BOUNCE) && readPart(linear + inFirst, size - inFirst, BOUNCE + inFirst) ? BOUNCE : 0;
}

function writePart(at: u32, linear: u64, size: u32, value: u64): bool {
  if (at == NO_FRAME) return askDevice(translatedGpa(), size, 1, value);
  if (load<u32>(CODE_OF_FRAME + ((at & ~0xfff) >> 10))) codeWritten(at & ~0xfff, at & 0xfff, size);
  if (size == 8) store<u64>(at, value);
  else if (size == 4) store<u32>(at, <u32>value);
  else if (size == 2) store<u16>(at, <u16>value);
  else if (size == 1) store<u8>(at, <u8>value);
  else
    for (let i: u32 = 0; i < size; i++) {
      store<u8>(at + i, <u8>value);
      value >>= 8;
    }
  return true;
}

/** Writes up to 8 bytes. Both pages are translated before a byte is stored. False on a fault or exit. */
export function writeSlow(linear: u64, size: u32, value: u64): bool {
  const inFirst: u32 = 4096 - (<u32>linear & 0xfff);
  if (inFirst < size && leavesLowerHalf(linear + inFirst, ACCESS_WRITE)) return false;
  const first = page(linear, ACCESS_WRITE);
  if (first == TRANSLATE_FAULT) return false;
  if (inFirst >= size) return writePart(first, linear, size, value);
  const second = page(linear + inFirst, ACCESS_WRITE);
  if (second == TRANSLATE_FAULT) return false;
  // The device of the first part is asked with its own GPA.
  if (first == NO_FRAME) page(linear, ACCESS_WRITE);
  if (!writePart(first, linear, inFirst, value)) return false;
  if (second == NO_FRAME) page(linear + inFirst, ACCESS_WRITE);
  return writePart(second, linear + inFirst, size - inFirst, value >> (<u64>inFirst << 3));
}

/** Writes `size` bytes from host address `from`, in pieces of 8. Every page is translated before a byte is stored. */
export function writeBytes(linear: u64, size: u32, from: u32): bool {
  for (let at = linear; at < linear + size; at = (at & ~0xfff) + 4096)
    if (page(at, ACCESS_WRITE) == TRANSLATE_FAULT) return false;
  for (let done: u32 = 0; done < size; done += 8) {
    const piece = size - done < 8 ? size - done : 8;
    if (!writeSlow(linear + done, piece, load<u64>(from + done))) return false;
  }
  return true;
}

/** Whether `size` bytes (at most a page) may be written: faults as the write would, and stores nothing. */
export function writeAllowed(linear: u64, size: u32): bool {
  if (page(linear, ACCESS_WRITE) == TRANSLATE_FAULT) return false;
  const last = linear + size - 1;
  return (linear ^ last) < 4096 || page(last & ~0xfff, ACCESS_WRITE) != TRANSLATE_FAULT;
}

/** See `updatable`. */
export function readWriteSlow(linear: u64, size: u32): u32 {
  const inFirst: u32 = 4096 - (<u32>linear & 0xfff);
  if (inFirst < size && leavesLowerHalf(linear + inFirst, ACCESS_WRITE)) return 0;
  const first = page(linear, ACCESS_WRITE);
  if (first == TRANSLATE_FAULT) return 0;
  if (inFirst < size) {
    if (page(linear + inFirst, ACCESS_WRITE) == TRANSLATE_FAULT) return 0;
  } else if (first != NO_FRAME && !load<u32>(CODE_OF_FRAME + ((first & ~0xfff) >> 10))) return first;
  const from = readSlow(linear, size);
  if (from == 0) return 0;
  if (from != BOUNCE) memory.copy(BOUNCE, from, size);
  return BOUNCE;
}

/** The code TLB's entry for a linear address, filled where needed; 0 on a fault. */
export function fetchable(linear: u64): u32 {
  const tag = linear & ~0xfff;
  const entry: u32 = execTlb + ((<u32>(linear >> 12) & (EXEC_TLB_ENTRIES - 1)) << 4);
  if (load<u64>(entry) == tag) return entry;
  const frame = translate(linear, ACCESS_EXECUTE);
  if (frame == TRANSLATE_FAULT) return 0;
  if (frame == NO_FRAME) {
    // Code from a device's registers: KVM can't do that either (internal error, emulation).
    store<u64>(EXIT_ARG0, translatedGpa());
    store<u64>(EXIT_ARG1, 0);
    exitAtInstruction(EXIT_MMIO);
    return 0;
  }
  const global: u32 = translatedGlobal() ? 1 : 0;
  if (translatedSizeBits() != 12) noteLargePage(linear, translatedSizeBits());
  // Making the page a code page may empty the TLBs: the entry is written behind it.
  store<u32>(entry, codePage(frame), 8);
  store<u32>(entry, frame, 12);
  store<u64>(entry, tag);
  store<u8>(EXEC_GLOBAL + ((entry - EXEC_TLB_SUPERVISOR) >> 4), global);
  return entry;
}
