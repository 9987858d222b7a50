// Interrupt delivery in protected mode without long mode: 8-byte gates of 32 or 16 bits. AMD64 APM volume 2, 8.7.
// Task gates and virtual-8086 mode are not built: a task gate ends the run as unsupported, and VM is never set.
import {
  CPL, CS, EXIT_UNSUPPORTED, IDT_BASE, IDT_LIMIT, RIP, SEG_BASE, SEG_LIMIT, SEG_RIGHTS, SEG_SELECTOR, SS, STACK_MASK,
  TR,
} from "../src/layout";
import {
  baseOf, descriptor, dplOf, limitOf, markAccessed, readDescriptor, rightsOf, setSegmentParts,
} from "./descriptors";
import { exitAtInstruction, fault, VECTOR_GP, VECTOR_NP, VECTOR_SS, VECTOR_TS } from "./fault";
import { addItem, itemBytes, peeked, peekSystem, pushItemsAs, RSP, setStackPointer, startItems } from "./implicit";
import { setCpl, updateMode } from "./modes";
import { enterHandlerFlags } from "./interrupt-flags";
import { RIGHTS_CODE, RIGHTS_CONFORMING, RIGHTS_DB, RIGHTS_PRESENT, RIGHTS_RW, RIGHTS_S } from "./rights";

const TASK_GATE: u32 = 5;

/** See `deliver`. */
export function deliverProtected(
  vector: u32, isSoftware: bool, ext: u32, hasCode: bool, code: u32, rip: u64, flags: u32,
): bool {
  const inIdt = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > load<u32>(IDT_LIMIT)) return fault(VECTOR_GP, inIdt);
  if (!peekSystem((load<u64>(IDT_BASE) + vector * 8) & 0xffffffff, 8)) return false;
  const raw = peeked;
  const gate = rightsOf(raw);
  const type = gate & 0x1f;
  if (type == TASK_GATE) return exitAtInstruction(EXIT_UNSUPPORTED);
  // Interrupt and trap gates of 16 (6, 7) and 32 bits (14, 15).
  if ((type & 0x16) != 6) return fault(VECTOR_GP, inIdt);
  const is32 = (type & 8) != 0;
  const cpl = load<u32>(CPL);
  if (isSoftware && dplOf(gate) < cpl) return fault(VECTOR_GP, inIdt);
  if (!(gate & RIGHTS_PRESENT)) return fault(VECTOR_NP, inIdt);

  const selector = <u32>(raw >> 16) & 0xffff;
  if (!(selector & 0xfffc)) return fault(VECTOR_GP, ext);
  if (!readDescriptor(selector, VECTOR_GP, ext)) return false;
  const rights = rightsOf(descriptor);
  const dpl = dplOf(rights);
  const inTable = (selector & 0xfffc) | ext;
  if (!(rights & RIGHTS_S) || !(rights & RIGHTS_CODE) || dpl > cpl) return fault(VECTOR_GP, inTable);
  if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_NP, inTable);
  const inner = !(rights & RIGHTS_CONFORMING) && dpl < cpl;
  const newCpl = inner ? dpl : cpl;
  const target = (raw & 0xffff) | (is32 ? (raw >> 32) & 0xffff0000 : 0);
  if (<u32>target > limitOf(descriptor)) return fault(VECTOR_GP, ext);
  if (!markAccessed()) return false;
  const codeRaw = descriptor;

  let stackBase = load<u64>(SEG_BASE + SS * 8);
  let stackMask = load<u64>(STACK_MASK);
  let top = load<u64>(RSP);
  let stackSelector: u32 = 0;
  let stackRaw: u64 = 0;
  startItems();
  if (inner) {
    if (!readInnerStack(newCpl, ext)) return false;
    top = innerTop;
    stackSelector = innerSelector;
    stackRaw = descriptor;
    stackBase = baseOf(stackRaw);
    stackMask = rightsOf(stackRaw) & RIGHTS_DB ? 0xffffffff : 0xffff;
    addItem(load<u32>(SEG_SELECTOR + SS * 4));
    addItem(load<u64>(RSP));
  }
  addItem(flags);
  addItem(load<u32>(SEG_SELECTOR + CS * 4));
  addItem(rip);
  if (hasCode) addItem(code);
  const size: u32 = is32 ? 4 : 2;
  if (!pushItemsAs(newCpl, stackBase, top, stackMask, size, false, ext)) return false;

  if (inner)
    setSegmentParts(SS, (stackSelector & 0xfffc) | newCpl, stackBase, limitOf(stackRaw), rightsOf(stackRaw) | 1);
  setStackPointer(top - itemBytes(size), stackMask);
  setSegmentParts(CS, (selector & 0xfffc) | newCpl, baseOf(codeRaw), limitOf(codeRaw), rightsOf(codeRaw));
  store<u64>(RIP, target);
  enterHandlerFlags((type & 1) == 0);
  setCpl(newCpl);
  updateMode();
  return true;
}

let innerTop: u64 = 0;
let innerSelector: u32 = 0;

/** The stack that the TSS has for a level: `innerTop`, `innerSelector` and its descriptor in `descriptor`. */
function readInnerStack(level: u32, ext: u32): bool {
  const task = load<u32>(SEG_RIGHTS + TR * 4);
  const taskSelector = (load<u32>(SEG_SELECTOR + TR * 4) & 0xfffc) | ext;
  const is32 = (task & 8) != 0;
  const offset: u32 = is32 ? 4 + level * 8 : 2 + level * 4;
  if (offset + (is32 ? 5 : 3) > load<u32>(SEG_LIMIT + TR * 4)) return fault(VECTOR_TS, taskSelector);
  const at = load<u64>(SEG_BASE + TR * 8) + offset;
  if (!peekSystem(at & 0xffffffff, is32 ? 4 : 2)) return false;
  innerTop = peeked;
  if (!peekSystem((at + (is32 ? 4 : 2)) & 0xffffffff, 2)) return false;
  innerSelector = <u32>peeked;
  const code = (innerSelector & 0xfffc) | ext;
  if (!(innerSelector & 0xfffc) || (innerSelector & 3) != level) return fault(VECTOR_TS, code);
  if (!readDescriptor(innerSelector, VECTOR_TS, ext)) return false;
  const rights = rightsOf(descriptor);
  if (dplOf(rights) != level || (rights & (RIGHTS_S | RIGHTS_CODE | RIGHTS_RW)) != (RIGHTS_S | RIGHTS_RW))
    return fault(VECTOR_TS, code);
  if (!(rights & RIGHTS_PRESENT)) return fault(VECTOR_SS, code);
  return true;
}
