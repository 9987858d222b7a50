// The page walk: AMD64 Architecture Programmer's Manual volume 2, chapter 5. Tables of 4, 3 (PAE) and 2 levels, or none.
import {
  ACCESS_EXECUTE, ACCESS_READ, ACCESS_WRITE, CPL, CR0, CR2, CR3, CR4, C_BIT_MASK, EFER, EXIT_FILL, FILL_FAULT, FILL_MMIO,
  FILL_READ_ONLY, PTE_RESERVED_MASK, TLB_USER,
} from "../src/layout";
import { OUTSIDE_LIMIT, OUTSIDE_STACK_LIMIT } from "./address";
import { exitAtInstruction, fault, VECTOR_GP, VECTOR_PF, VECTOR_SS } from "./fault";
import { fill } from "./host";
import { alwaysEncrypted, markEntry, NO_TABLE, tableAt, TABLE_FAULT } from "./page-tables";
import { dataTlb } from "./tlb";

/** `translate`: a device's address; `translatedGpa` tells which. */
export const NO_FRAME: u32 = 0xffffffff;
/** `translate`: FAULT_* (or EXIT_* with VECTOR_EXIT) is set. */
export const TRANSLATE_FAULT: u32 = 0xfffffffe;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const USER: u64 = 4;
const ACCESSED: u64 = 0x20;
const DIRTY: u64 = 0x40;
const LARGE: u64 = 0x80;
const GLOBAL: u64 = 0x100;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/** Bits of #PF's error code. */
const PF_PRESENT: u32 = 1;
const PF_WRITE: u32 = 2;
const PF_USER: u32 = 4;
const PF_RESERVED: u32 = 8;
const PF_FETCH: u32 = 16;

const CR0_WP: u64 = 1 << 16;
const CR0_PG: u64 = 1 << 31;
const CR4_PSE: u64 = 1 << 4;
const CR4_PAE: u64 = 1 << 5;
const CR4_PGE: u64 = 1 << 7;
const EFER_LMA: u64 = 1 << 10;
const EFER_NXE: u64 = 1 << 11;

let gpa: u64 = 0;
let encrypted: u32 = 0;
let mayWrite: bool = false;
let isGlobal: bool = false;
let sizeBits: u32 = 12;

/** GPA of the last translation, without the C bit. */
export function translatedGpa(): u64 {
  return gpa;
}

/** Whether the last translation also allows writes, with the D bit set already and the host asking for no word first. */
export function translatedWritable(): bool {
  return mayWrite;
}

export function translatedGlobal(): bool {
  return isGlobal;
}

/** log2 of the size of the guest's page: 12, 21, 22 or 30. */
export function translatedSizeBits(): u32 {
  return sizeBits;
}

/** Bits 63:47 are all equal. */
// @ts-ignore: decorator
@inline
export function isCanonical(linear: u64): bool {
  return (<i64>linear << 16) >> 16 == <i64>linear;
}

/** The last address that wasn't canonical, 0 once that was dealt with: of a stack's #GP is #SS. */
let wildAddress: u64 = 0;

export function takeWildAddress(): u64 {
  const wild = wildAddress;
  wildAddress = 0;
  return wild;
}

/** The host page (bits 11:0 are zero) behind a linear address, NO_FRAME or TRANSLATE_FAULT. */
export function translate(linear: u64, access: u32): u32 {
  if (linear == OUTSIDE_LIMIT || linear == OUTSIDE_STACK_LIMIT) {
    fault(linear == OUTSIDE_LIMIT ? VECTOR_GP : VECTOR_SS, 0);
    return TRANSLATE_FAULT;
  }
  const user = access & ACCESS_EXECUTE ? load<u32>(CPL) == 3 : dataTlb == TLB_USER;
  if (!walk(linear, access, user, true)) return TRANSLATE_FAULT;
  // A GPA that no memory can have: nobody answers there.
  if (gpa >> 44) return NO_FRAME;
  const frame = fill(<u32>(gpa >> 12), access, access & ACCESS_EXECUTE ? alwaysEncrypted() : encrypted);
  if (frame == FILL_MMIO) return NO_FRAME;
  if (frame == FILL_FAULT) {
    exitAtInstruction(EXIT_FILL);
    return TRANSLATE_FAULT;
  }
  if (frame & FILL_READ_ONLY) {
    // Read-only memory: writes go to the owner like a device's.
    if (access & ACCESS_WRITE) return NO_FRAME;
    mayWrite = false;
  }
  return frame & ~0xfff;
}

/** Translates as a supervisor's read without leaving a trace in the tables. False: not mapped, or not by memory. */
export function probe(linear: u64): bool {
  return walk(linear, ACCESS_READ, false, false);
}

/** Whether the last `probe` or `translate` met the C bit, or an access that is private by its kind. */
export function translatedEncrypted(): u32 {
  return encrypted;
}

function pageFault(linear: u64, access: u32, user: bool, why: u32): bool {
  store<u64>(CR2, linear);
  let code: u32 = why;
  if (access & ACCESS_WRITE) code |= PF_WRITE;
  if (user) code |= PF_USER;
  if (access & ACCESS_EXECUTE && load<u64>(EFER) & EFER_NXE && load<u64>(CR4) & CR4_PAE) code |= PF_FETCH;
  return fault(VECTOR_PF, code);
}

/**
 * Sets what `translated…` answer, or FAULT_* and false. `marks`: sets the accessed and dirty bits, as the processor does
 * while it walks.
 */
function walk(linear: u64, access: u32, user: bool, marks: bool): bool {
  const cr0 = load<u64>(CR0);
  sizeBits = 12;
  isGlobal = false;
  if (!(cr0 & CR0_PG)) {
    gpa = linear & 0xffffffff;
    encrypted = alwaysEncrypted();
    mayWrite = true;
    return true;
  }
  const efer = load<u64>(EFER);
  const cr4 = load<u64>(CR4);
  if (!(cr4 & CR4_PAE)) return walkLegacy(linear & 0xffffffff, access, user, marks);
  const isLong = (efer & EFER_LMA) != 0;
  if (isLong) {
    if (!isCanonical(linear)) {
      wildAddress = linear;
      return fault(VECTOR_GP, 0);
    }
  } else linear &= 0xffffffff;

  const cBit = load<u64>(C_BIT_MASK);
  const reserved = load<u64>(PTE_RESERVED_MASK) | (efer & EFER_NXE ? 0 : NO_EXECUTE);
  let table = load<u64>(CR3) & ~cBit & (isLong ? ADDRESS : 0xffffffe0);
  let shift: u32 = isLong ? 39 : 30;
  let rights: u64 = WRITABLE | USER;
  let noExecute: u64 = 0;
  let entry: u64 = 0;
  let entryGpa: u64 = 0;
  let index: u64 = isLong ? 511 : 3;
  while (true) {
    entryGpa = table + (((linear >> shift) & index) << 3);
    index = 511;
    const at = tableAt(entryGpa, false);
    if (at == TABLE_FAULT) return false;
    entry = at == NO_TABLE ? -1 : load<u64>(at);
    if (!(entry & PRESENT)) return pageFault(linear, access, user, 0);
    // PAE's four top entries have neither rights nor an accessed bit.
    const isPdpte = !isLong && shift == 30;
    if (entry & ~cBit & reserved) return pageFault(linear, access, user, PF_PRESENT | PF_RESERVED);
    if (!isPdpte) {
      rights &= entry;
      noExecute |= entry & NO_EXECUTE;
    }
    if (shift == 12) break;
    if (entry & LARGE) {
      if (shift == 39 || isPdpte) return pageFault(linear, access, user, PF_PRESENT | PF_RESERVED);
      break;
    }
    if (marks && !isPdpte && !(entry & ACCESSED) && !markEntry(entryGpa, <u32>ACCESSED)) return false;
    table = entry & ~cBit & ADDRESS;
    shift -= 9;
  }
  sizeBits = shift;
  const inPage = ((<u64>1) << shift) - 1;
  // Bit 12 of a large page's entry is PAT; the rest up to the page's size is reserved.
  if (shift > 12 && entry & ~cBit & inPage & ~0x1fff) return pageFault(linear, access, user, PF_PRESENT | PF_RESERVED);
  gpa = (entry & ~cBit & ADDRESS & ~inPage) | (linear & inPage);
  encrypted = entry & cBit ? 1 : 0;
  if (access & ACCESS_EXECUTE && noExecute) return pageFault(linear, access, user, PF_PRESENT);
  return finish(linear, access, user, marks, rights, entry, entryGpa);
}

/** Two levels of 4-byte entries: 4 KiB and, with CR4.PSE, 4 MiB pages. */
function walkLegacy(linear: u64, access: u32, user: bool, marks: bool): bool {
  const cBit = load<u64>(C_BIT_MASK);
  const directoryGpa = (load<u64>(CR3) & 0xfffff000 & ~cBit) + ((linear >> 22) << 2);
  let at = tableAt(directoryGpa, false);
  if (at == TABLE_FAULT) return false;
  const directory: u64 = at == NO_TABLE ? 0xffffffff : load<u32>(at);
  if (!(directory & PRESENT)) return pageFault(linear, access, user, 0);
  // The C bit lies above what a 4-byte entry can hold: such an access has it clear.
  encrypted = 0;
  if (directory & LARGE && load<u64>(CR4) & CR4_PSE) {
    if (directory & (1 << 21)) return pageFault(linear, access, user, PF_PRESENT | PF_RESERVED);
    sizeBits = 22;
    // PSE-36: bits 20:13 are bits 39:32 of the address.
    gpa = (directory & 0xffc00000) | (((directory >> 13) & 0xff) << 32) | (linear & 0x3fffff);
    return finish(linear, access, user, marks, directory, directory, directoryGpa);
  }
  if (marks && !(directory & ACCESSED) && !markEntry(directoryGpa, <u32>ACCESSED)) return false;
  const entryGpa = (directory & 0xfffff000) + (((linear >> 12) & 0x3ff) << 2);
  at = tableAt(entryGpa, false);
  if (at == TABLE_FAULT) return false;
  const entry: u64 = at == NO_TABLE ? 0xffffffff : load<u32>(at);
  if (!(entry & PRESENT)) return pageFault(linear, access, user, 0);
  gpa = (entry & 0xfffff000) | (linear & 0xfff);
  return finish(linear, access, user, marks, directory & entry, entry, entryGpa);
}

/** Rights, then the accessed and dirty bits of the entry that maps the page. */
function finish(linear: u64, access: u32, user: bool, marks: bool, rights: u64, entry: u64, entryGpa: u64): bool {
  if (user && !(rights & USER)) return pageFault(linear, access, user, PF_PRESENT);
  const writable = (rights & WRITABLE) != 0 || (!user && !(load<u64>(CR0) & CR0_WP));
  if (access & ACCESS_WRITE && !writable) return pageFault(linear, access, user, PF_PRESENT);
  const wanted = access & ACCESS_WRITE ? ACCESSED | DIRTY : ACCESSED;
  if (marks && (entry & wanted) != wanted && !markEntry(entryGpa, <u32>wanted)) return false;
  mayWrite = writable && ((entry | wanted) & DIRTY) != 0;
  isGlobal = (entry & GLOBAL) != 0 && (load<u64>(CR4) & CR4_PGE) != 0;
  return true;
}
