// Loading segment registers. What is checked when they are used: address.ts.
import {
  CPL, CS, GDT_BASE, GDT_LIMIT, LDTR, SEG_BASE, SEG_RIGHTS, SEG_SELECTOR, SS, TR,
} from "../src/layout";
import {
  badSelector, baseOf, descriptor, descriptorAt, dplOf, limitOf, markAccessed, readDescriptor, rightsOf, setSegment,
  setSegmentParts,
} from "./descriptors";
import { fault, VECTOR_GP, VECTOR_NP, VECTOR_SS } from "./fault";
import { peeked, peekSystem, pokeSystem } from "./implicit";
import { is64BitCode, isLongMode, isProtected, updateMode } from "./modes";
import { isCanonical } from "./paging";
import { RIGHTS_CODE, RIGHTS_CONFORMING, RIGHTS_PRESENT, RIGHTS_RW, RIGHTS_S, UNUSABLE } from "./rights";

/** MOV to or POP of ES, SS, DS, FS or GS, and the loads of far pointers. False on a fault. */
export function loadSegment(segment: u32, selector: u32): bool {
  if (!isProtected()) {
    loadReal(segment, selector);
    return true;
  }
  const cpl = load<u32>(CPL);
  const rpl = selector & 3;
  if (!(selector & 0xfffc)) {
    if (segment == SS && !(is64BitCode() && cpl != 3 && rpl == cpl)) return fault(VECTOR_GP, 0);
    setNull(segment, selector, segment == SS ? cpl : 0);
    return true;
  }
  if (!readDescriptor(selector, VECTOR_GP, 0)) return false;
  const rights = rightsOf(descriptor);
  const dpl = dplOf(rights);
  if (segment == SS) {
    const writableData = RIGHTS_S | RIGHTS_RW;
    if (rpl != cpl || dpl != cpl || (rights & (RIGHTS_S | RIGHTS_CODE | RIGHTS_RW)) != writableData)
      return badSelector(selector);
    if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_SS, selector & 0xfffc);
  } else {
    const isCode = (rights & RIGHTS_CODE) != 0;
    if (!(rights & RIGHTS_S) || (isCode && !(rights & RIGHTS_RW))) return badSelector(selector);
    const conforming = isCode && (rights & RIGHTS_CONFORMING) != 0;
    if (!conforming && dpl < (cpl > rpl ? cpl : rpl)) return badSelector(selector);
    if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_NP, selector & 0xfffc);
  }
  if (!markAccessed()) return false;
  setSegment(segment, selector, descriptor);
  if (segment == SS) updateMode();
  return true;
}

/** Real mode: the base is the selector times 16; limit and rights stay as they were. */
export function loadReal(segment: u32, selector: u32): void {
  store<u32>(SEG_SELECTOR + segment * 4, selector);
  store<u64>(SEG_BASE + segment * 8, <u64>(selector << 4));
}

export function setNull(segment: u32, selector: u32, dpl: u32): void {
  setSegmentParts(segment, selector, 0, 0, UNUSABLE | (dpl << 5));
}

/** LLDT. */
export function loadLdt(selector: u32): bool {
  if (!(selector & 0xfffc)) {
    setNull(LDTR, selector, 0);
    return true;
  }
  if (!loadSystemSegment(selector, 2, 2)) return false;
  return setSystemSegment(LDTR, selector);
}

/** LTR: the TSS becomes busy. */
export function loadTask(selector: u32): bool {
  if (!(selector & 0xfffc)) return fault(VECTOR_GP, 0);
  // Available TSS, of 32 or 16 bits; in long mode only type 9, of 64.
  if (!loadSystemSegment(selector, 9, isLongMode() ? 9 : 1)) return false;
  const at = descriptorAt;
  const busy = descriptor | ((<u64>2) << 40);
  if (!setSystemSegment(TR, selector)) return false;
  store<u32>(SEG_RIGHTS + TR * 4, rightsOf(busy));
  return pokeSystem(at + 5, 1, busy >> 40);
}

function loadSystemSegment(selector: u32, type: u32, otherType: u32): bool {
  if (selector & 4) return badSelector(selector);
  if (!readDescriptor(selector, VECTOR_GP, 0)) return false;
  const rights = rightsOf(descriptor);
  const own = rights & 0x1f;
  if (own != type && own != otherType) return badSelector(selector);
  if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_NP, selector & 0xfffc);
  return true;
}

/** In long mode a system descriptor has 16 bytes: the upper half of the base follows. */
function setSystemSegment(segment: u32, selector: u32): bool {
  let base = baseOf(descriptor);
  if (isLongMode()) {
    if ((selector | 15) > load<u32>(GDT_LIMIT)) return badSelector(selector);
    if (!peekSystem(load<u64>(GDT_BASE) + (selector & 0xfff8) + 8, 8)) return false;
    base |= peeked << 32;
    if (!isCanonical(base)) return badSelector(selector);
  }
  setSegmentParts(segment, selector, base, limitOf(descriptor), rightsOf(descriptor));
  return true;
}

/** A flat segment as SYSCALL and its kin make it: present, accessed, of `dpl`. */
export function setFlatCode(selector: u32, dpl: u32, rightsDL: u32): void {
  setSegmentParts(CS, selector, 0, 0xffffffff, 0x8000 | rightsDL | RIGHTS_PRESENT | (dpl << 5) | RIGHTS_S | 0xb);
}

export function setFlatStack(selector: u32, dpl: u32): void {
  setSegmentParts(SS, selector, 0, 0xffffffff, 0xc000 | RIGHTS_PRESENT | (dpl << 5) | RIGHTS_S | 3);
}
