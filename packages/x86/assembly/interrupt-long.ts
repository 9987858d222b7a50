// Interrupt delivery in long mode: 16-byte gates, IST, RSP0–2 of the TSS. AMD64 APM volume 2, 8.9.
import { CPL, CS, IDT_BASE, IDT_LIMIT, RIP, SEG_BASE, SEG_LIMIT, SEG_SELECTOR, SS, TR } from "../src/layout";
import { descriptor, dplOf, limitOf, markAccessed, readDescriptor, rightsOf, setSegmentParts } from "./descriptors";
import { fault, VECTOR_GP, VECTOR_NP, VECTOR_SS, VECTOR_TS } from "./fault";
import { addItem, peeked, peekSystem, pushItemsAs, RSP, startItems } from "./implicit";
import { setCpl, updateMode } from "./modes";
import { isCanonical } from "./paging";
import { setNull } from "./segments";
import { enterHandlerFlags } from "./interrupt-flags";
import { RIGHTS_CODE, RIGHTS_CONFORMING, RIGHTS_DB, RIGHTS_L, RIGHTS_PRESENT, RIGHTS_S } from "./rights";

const INTERRUPT_GATE: u32 = 0xe;
const TRAP_GATE: u32 = 0xf;

/** See `deliver`. Nothing has changed where it is false. */
export function deliverLong(vector: u32, isSoftware: bool, ext: u32, hasCode: bool, code: u32, rip: u64, flags: u32): bool {
  const inIdt = vector * 8 + 2 + ext;
  if (vector * 16 + 15 > load<u32>(IDT_LIMIT)) return fault(VECTOR_GP, inIdt);
  const gateAt = load<u64>(IDT_BASE) + vector * 16;
  if (!peekSystem(gateAt + 8, 8)) return false;
  const high = peeked;
  if (!peekSystem(gateAt, 8)) return false;
  const low = peeked;
  const gate = rightsOf(low);
  const type = gate & 0x1f;
  if (type != INTERRUPT_GATE && type != TRAP_GATE) return fault(VECTOR_GP, inIdt);
  const cpl = load<u32>(CPL);
  if (isSoftware && dplOf(gate) < cpl) return fault(VECTOR_GP, inIdt);
  if (!(gate & RIGHTS_PRESENT)) return fault(VECTOR_NP, inIdt);

  const selector = <u32>(low >> 16) & 0xffff;
  if (!(selector & 0xfffc)) return fault(VECTOR_GP, ext);
  if (!readDescriptor(selector, VECTOR_GP, ext)) return false;
  const rights = rightsOf(descriptor);
  const dpl = dplOf(rights);
  const inTable = (selector & 0xfffc) | ext;
  if (!(rights & RIGHTS_S) || !(rights & RIGHTS_CODE) || dpl > cpl) return fault(VECTOR_GP, inTable);
  if (!(rights & RIGHTS_L) || rights & RIGHTS_DB) return fault(VECTOR_GP, inTable);
  if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_NP, inTable);

  const inner = !(rights & RIGHTS_CONFORMING) && dpl < cpl;
  const newCpl = inner ? dpl : cpl;
  const ist = <u32>(low >> 32) & 7;
  let rsp = load<u64>(RSP);
  if (ist || inner) {
    const offset: u32 = ist ? 0x24 + (ist - 1) * 8 : 4 + newCpl * 8;
    if (offset + 7 > load<u32>(SEG_LIMIT + TR * 4)) return fault(VECTOR_TS, (load<u32>(SEG_SELECTOR + TR * 4) & 0xfffc) | ext);
    if (!peekSystem(load<u64>(SEG_BASE + TR * 8) + offset, 8)) return false;
    rsp = peeked;
    if (!isCanonical(rsp)) return fault(VECTOR_SS, ext);
  }
  rsp &= ~15;
  const target = (low & 0xffff) | ((low >> 32) & 0xffff0000) | (high << 32);
  if (!isCanonical(target)) return fault(VECTOR_GP, ext);
  const raw = descriptor;
  if (!markAccessed()) return false;

  startItems();
  addItem(load<u32>(SEG_SELECTOR + SS * 4));
  addItem(load<u64>(RSP));
  addItem(flags);
  addItem(load<u32>(SEG_SELECTOR + CS * 4));
  addItem(rip);
  if (hasCode) addItem(code);
  if (!pushItemsAs(newCpl, 0, rsp, -1, 8, true, ext)) return false;

  store<u64>(RSP, rsp - (hasCode ? 48 : 40));
  if (inner) setNull(SS, newCpl, newCpl);
  setSegmentParts(CS, (selector & 0xfffc) | newCpl, 0, limitOf(raw), rights | 1);
  store<u64>(RIP, target);
  enterHandlerFlags(type == INTERRUPT_GATE);
  setCpl(newCpl);
  updateMode();
  return true;
}
