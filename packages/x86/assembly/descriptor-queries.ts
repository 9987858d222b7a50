// LAR, LSL, VERR, VERW: what a selector allows, answered in ZF. AMD64 APM volume 3.
import { CPL, UOP_A, UOP_B } from "../src/layout";
import { descriptor, dplOf, limitOf, readDescriptor, rightsOf } from "./descriptors";
import { FAULT_VECTOR } from "../src/layout";
import { plainFault, VECTOR_GP, VECTOR_UD } from "./fault";
import { getArithmeticFlags, setArithmeticFlags, ZF } from "./flags";
import { isLongMode, isProtected } from "./modes";
import { next, operand, readSelector, setRegister, sizeOf, SYSTEM_FAULT, SYSTEM_NEXT } from "./system-operands";
import { RIGHTS_CODE, RIGHTS_CONFORMING, RIGHTS_RW, RIGHTS_S } from "./rights";

/** System segment types that LAR and LSL show, by number, and those of them that long mode has. */
const LAR_TYPES: u32 = 0x1a3e;
const LAR_TYPES_LONG: u32 = 0x1a04;
const LSL_TYPES: u32 = 0x0a0e;
const LSL_TYPES_LONG: u32 = 0x0a04;

/** -1: a page fault of the table; 0: no; 1: `descriptor` may be looked at. */
function visible(selector: u32, types: u32): i32 {
  if (!(selector & 0xfffc)) return 0;
  if (!readDescriptor(selector, VECTOR_GP, 0)) return load<u32>(FAULT_VECTOR) == VECTOR_GP ? 0 : -1;
  const rights = rightsOf(descriptor);
  if (!(rights & RIGHTS_S) && !((types >> (rights & 0xf)) & 1)) return 0;
  const conforming = (rights & (RIGHTS_S | RIGHTS_CODE | RIGHTS_CONFORMING)) == (RIGHTS_S | RIGHTS_CODE | RIGHTS_CONFORMING);
  const cpl = load<u32>(CPL);
  const rpl = selector & 3;
  return conforming || dplOf(rights) >= (cpl > rpl ? cpl : rpl) ? 1 : 0;
}

function answer(yes: bool): u32 {
  const flags = getArithmeticFlags();
  setArithmeticFlags(yes ? flags | ZF : flags & ~ZF);
  return SYSTEM_NEXT;
}

export function loadAccessRights(uop: u32, address: u64): u32 {
  if (!isProtected()) return next(plainFault(VECTOR_UD));
  if (!readSelector(uop, address, load<u16>(uop, UOP_B))) return SYSTEM_FAULT;
  const found = visible(operand, isLongMode() ? LAR_TYPES_LONG : LAR_TYPES);
  if (found < 0) return SYSTEM_FAULT;
  if (found) setRegister(load<u16>(uop, UOP_A), sizeOf(uop), (descriptor >> 32) & 0x00f0ff00);
  return answer(found != 0);
}

export function loadSegmentLimit(uop: u32, address: u64): u32 {
  if (!isProtected()) return next(plainFault(VECTOR_UD));
  if (!readSelector(uop, address, load<u16>(uop, UOP_B))) return SYSTEM_FAULT;
  const found = visible(operand, isLongMode() ? LSL_TYPES_LONG : LSL_TYPES);
  if (found < 0) return SYSTEM_FAULT;
  if (found) setRegister(load<u16>(uop, UOP_A), sizeOf(uop), limitOf(descriptor));
  return answer(found != 0);
}

export function verify(uop: u32, address: u64, forWrite: bool): u32 {
  if (!isProtected()) return next(plainFault(VECTOR_UD));
  if (!readSelector(uop, address, load<u16>(uop, UOP_A))) return SYSTEM_FAULT;
  const found = visible(operand, 0);
  if (found < 0) return SYSTEM_FAULT;
  if (!found) return answer(false);
  const rights = rightsOf(descriptor);
  const isCode = (rights & RIGHTS_CODE) != 0;
  const may = forWrite ? !isCode && (rights & RIGHTS_RW) != 0 : !isCode || (rights & RIGHTS_RW) != 0;
  return answer(may);
}
