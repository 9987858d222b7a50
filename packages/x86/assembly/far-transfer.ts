// Far jumps, calls and returns: AMD64 APM volume 2, 4.9. Call gates and task switches are not built: they end the run.
import { CPL, CS, ES, EXIT_UNSUPPORTED, GS, RIP, SEG_RIGHTS, SEG_SELECTOR, SS, STACK_MASK } from "../src/layout";
import {
  badSelector, baseOf, descriptor, dplOf, limitOf, markAccessed, readDescriptor, rightsOf, setSegment,
  setSegmentParts,
} from "./descriptors";
import { exitAtInstruction, fault, VECTOR_GP, VECTOR_NP, VECTOR_SS } from "./fault";
import { addItem, moveStack, peeked, pushAll, readStack, RSP, setStackPointer, startItems } from "./implicit";
import { isLongMode, isProtected, setCpl, updateMode } from "./modes";
import { isCanonical } from "./paging";
import { loadReal, setNull } from "./segments";
import { RIGHTS_CODE, RIGHTS_CONFORMING, RIGHTS_DB, RIGHTS_L, RIGHTS_PRESENT, RIGHTS_RW, RIGHTS_S, UNUSABLE } from "./rights";

/** An offset as an operand of `size` bytes holds it. */
// @ts-ignore: decorator
@inline
export function truncated(offset: u64, size: u32): u64 {
  return size == 8 ? offset : size == 4 ? <u32>offset : offset & 0xffff;
}

/** JMP far. False on a fault. */
export function jumpFar(selector: u32, offset: u64, size: u32): bool {
  offset = truncated(offset, size);
  if (!isProtected()) return enterReal(selector, offset);
  return checkTarget(selector) && checkOffset(offset) && markAccessed() && enterCode(selector, offset, load<u32>(CPL));
}

/** CALL far, at the same privilege. `next` is the RIP behind it. */
export function callFar(selector: u32, offset: u64, size: u32, next: u64): bool {
  offset = truncated(offset, size);
  const isReal = !isProtected();
  if (isReal) {
    if (offset > 0xffff) return fault(VECTOR_GP, 0);
  } else if (!checkTarget(selector) || !checkOffset(offset) || !markAccessed()) return false;
  startItems();
  addItem(load<u32>(SEG_SELECTOR + CS * 4));
  addItem(next);
  if (!pushAll(size)) return false;
  return isReal ? enterReal(selector, offset) : enterCode(selector, offset, load<u32>(CPL));
}

/** RETF, also to a less privileged level; `drops` bytes of arguments go with it. */
export function returnFar(size: u32, drops: u32): bool {
  if (!readStack(size, size)) return false;
  const selector = <u32>peeked & 0xffff;
  if (!readStack(0, size)) return false;
  const offset = peeked;
  if (!isProtected()) {
    if (offset > 0xffff) return fault(VECTOR_GP, 0);
    moveStack(2 * size + drops);
    return enterReal(selector, offset);
  }
  const cpl = load<u32>(CPL);
  if (!checkReturn(selector) || !checkOffset(offset)) return false;
  const rpl = selector & 3;
  if (rpl == cpl) {
    if (!markAccessed()) return false;
    moveStack(2 * size + drops);
    return enterCode(selector, offset, cpl);
  }
  if (!readStack(3 * size + drops, size)) return false;
  const stackSelector = <u32>peeked & 0xffff;
  if (!readStack(2 * size + drops, size)) return false;
  const stackTop = peeked + drops;
  return enterOuter(selector, offset, stackSelector, stackTop);
}

function enterReal(selector: u32, offset: u64): bool {
  if (offset > 0xffff) return fault(VECTOR_GP, 0);
  loadReal(CS, selector);
  store<u64>(RIP, offset);
  updateMode();
  return true;
}

/** The code descriptor that a jump or call names: into `descriptor`. */
function checkTarget(selector: u32): bool {
  if (!(selector & 0xfffc)) return fault(VECTOR_GP, 0);
  if (!readDescriptor(selector, VECTOR_GP, 0)) return false;
  const rights = rightsOf(descriptor);
  const type = rights & 0x1f;
  // Call gates, task gates and task states.
  if (type == 0xc || type == 4 || type == 5 || type == 9 || type == 1) return exitAtInstruction(EXIT_UNSUPPORTED);
  if (!isCode(rights)) return badSelector(selector);
  const cpl = load<u32>(CPL);
  const dpl = dplOf(rights);
  if (rights & RIGHTS_CONFORMING ? dpl > cpl : dpl != cpl || (selector & 3) > cpl) return badSelector(selector);
  return checkPresent(selector, rights);
}

/** The code descriptor that a far return or IRET names: into `descriptor`. */
export function checkReturn(selector: u32): bool {
  if (!(selector & 0xfffc)) return fault(VECTOR_GP, 0);
  if (!readDescriptor(selector, VECTOR_GP, 0)) return false;
  const rights = rightsOf(descriptor);
  const rpl = selector & 3;
  const dpl = dplOf(rights);
  if (!isCode(rights) || rpl < load<u32>(CPL)) return badSelector(selector);
  if (rights & RIGHTS_CONFORMING ? dpl > rpl : dpl != rpl) return badSelector(selector);
  return checkPresent(selector, rights);
}

function isCode(rights: u32): bool {
  if (!(rights & RIGHTS_S) || !(rights & RIGHTS_CODE)) return false;
  return !(isLongMode() && rights & RIGHTS_L && rights & RIGHTS_DB);
}

function checkPresent(selector: u32, rights: u32): bool {
  return rights & RIGHTS_PRESENT ? true : fault(VECTOR_NP, selector & 0xfffc);
}

/** The offset lies in the segment of `descriptor`, or is canonical in 64-bit code. */
export function checkOffset(offset: u64): bool {
  if (isLongMode() && rightsOf(descriptor) & RIGHTS_L) return isCanonical(offset) ? true : fault(VECTOR_GP, 0);
  return offset > limitOf(descriptor) ? fault(VECTOR_GP, 0) : true;
}

/** Goes on in the code of `descriptor`, which was checked. */
export function enterCode(selector: u32, offset: u64, cpl: u32): bool {
  setSegment(CS, (selector & 0xfffc) | cpl, descriptor);
  store<u64>(RIP, offset);
  setCpl(cpl);
  updateMode();
  return true;
}

/** To a less privileged level with its stack: the code's descriptor, checked, is in `descriptor`. */
export function enterOuter(selector: u32, offset: u64, stackSelector: u32, stackTop: u64): bool {
  const rpl = selector & 3;
  if (!markAccessed()) return false;
  const code = descriptor;
  const toLong = isLongMode() && (rightsOf(code) & RIGHTS_L) != 0;
  const isNull = !(stackSelector & 0xfffc);
  if (isNull) {
    if (!toLong || rpl == 3 || (stackSelector & 3) != rpl) return fault(VECTOR_GP, 0);
  } else {
    if (!readDescriptor(stackSelector, VECTOR_GP, 0)) return false;
    const rights = rightsOf(descriptor);
    const writableData = RIGHTS_S | RIGHTS_RW;
    if (
      (stackSelector & 3) != rpl || dplOf(rights) != rpl || (rights & (RIGHTS_S | RIGHTS_CODE | RIGHTS_RW)) != writableData
    ) return badSelector(stackSelector);
    if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_SS, stackSelector & 0xfffc);
    if (!markAccessed()) return false;
  }
  const stack = descriptor;
  setSegmentParts(CS, (selector & 0xfffc) | rpl, baseOf(code), limitOf(code), rightsOf(code));
  if (isNull) setNull(SS, stackSelector, rpl);
  else setSegment(SS, stackSelector, stack);
  store<u64>(RIP, offset);
  setCpl(rpl);
  updateMode();
  if (toLong) store<u64>(RSP, stackTop);
  else setStackPointer(stackTop, load<u64>(STACK_MASK));
  for (let segment: u32 = ES; segment <= <u32>GS; segment++)
    if (segment != CS && segment != SS) dropIfPrivileged(segment, rpl);
  return true;
}

/** A data segment that the new level mustn't have becomes null; null ones keep their base. */
function dropIfPrivileged(segment: u32, cpl: u32): void {
  const rights = load<u32>(SEG_RIGHTS + segment * 4);
  if (rights & UNUSABLE || dplOf(rights) >= cpl) return;
  if (rights & RIGHTS_CODE && rights & RIGHTS_CONFORMING) return;
  store<u32>(SEG_SELECTOR + segment * 4, 0);
  store<u32>(SEG_RIGHTS + segment * 4, UNUSABLE);
}
