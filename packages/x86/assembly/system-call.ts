// SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS: AMD64 APM volume 3. SYSENTER works in long mode as Intel has it.
import {
  CODE_BITS, CSTAR, EFER, EFLAGS_REST, GS, KERNEL_GS_BASE, LSTAR, REGS, RIP, SEG_BASE, SFMASK, STAR, SYSENTER_CS,
  SYSENTER_EIP, SYSENTER_ESP,
} from "../src/layout";
import { fault, plainFault, VECTOR_GP, VECTOR_UD } from "./fault";
import { readFlags, writeFlags } from "./flags";
import { FLAG_IF, FLAG_RF, FLAG_VM } from "./interrupt-flags";
import { is64BitCode, isLongMode, isProtected, setCpl, updateMode } from "./modes";
import { isCanonical } from "./paging";
import { setFlatCode, setFlatStack } from "./segments";
import { nextRip, privileged, sizeOf } from "./system-operands";
import { RIGHTS_DB, RIGHTS_L } from "./rights";

const RCX: u32 = REGS + 8;
const RDX: u32 = REGS + 16;
const RSP: u32 = REGS + 32;
const R11: u32 = REGS + 88;
const EFER_SCE: u64 = 1;
/** What SYSRET takes from R11: all but RF and VM. */
const SYSRET_FLAGS: u32 = 0x3c_7fd7;

function enterFlat(codeSelector: u32, stackSelector: u32, cpl: u32, codeRights: u32, rip: u64): bool {
  setFlatCode(codeSelector, cpl, codeRights);
  setFlatStack(stackSelector, cpl);
  store<u64>(RIP, rip);
  setCpl(cpl);
  updateMode();
  return true;
}

/** All of these: false on a fault. */
export function systemCall(uop: u32): bool {
  if (!(load<u64>(EFER) & EFER_SCE) || !isProtected()) return plainFault(VECTOR_UD);
  const star = load<u64>(STAR);
  const selector = <u32>(star >> 32) & 0xfffc;
  const flags = readFlags() & ~(<u32>FLAG_RF);
  const back = nextRip(uop);
  store<u64>(RCX, back);
  if (!isLongMode()) {
    writeFlags(flags & ~<u32>(FLAG_IF | FLAG_VM));
    return enterFlat(selector, selector + 8, 0, RIGHTS_DB, star & 0xffffffff);
  }
  store<u64>(R11, flags);
  writeFlags(flags & ~load<u32>(SFMASK));
  return enterFlat(selector, selector + 8, 0, RIGHTS_L, load<u64>(is64BitCode() ? LSTAR : CSTAR));
}

export function systemReturn(uop: u32): bool {
  if (!(load<u64>(EFER) & EFER_SCE)) return plainFault(VECTOR_UD);
  if (!isProtected()) return fault(VECTOR_GP, 0);
  if (!privileged()) return false;
  const star = load<u64>(STAR);
  const selector = <u32>(star >> 48) | 3;
  const rip = load<u64>(RCX);
  const toLong = isLongMode() && sizeOf(uop) == 8;
  if (toLong && !isCanonical(rip)) return fault(VECTOR_GP, 0);
  writeFlags(isLongMode() ? (load<u32>(R11) & SYSRET_FLAGS) | 2 : readFlags() | <u32>FLAG_IF);
  return toLong
    ? enterFlat(selector + 16, selector + 8, 3, RIGHTS_L, rip)
    : enterFlat(selector, selector + 8, 3, RIGHTS_DB, <u32>rip);
}

export function systemEnter(): bool {
  const selector = load<u32>(SYSENTER_CS) & 0xfffc;
  if (!isProtected() || !selector) return fault(VECTOR_GP, 0);
  store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) & ~(FLAG_IF | FLAG_VM | FLAG_RF));
  const isLong = isLongMode();
  const rip = load<u64>(SYSENTER_EIP);
  const rsp = load<u64>(SYSENTER_ESP);
  store<u64>(RSP, isLong ? rsp : <u32>rsp);
  return enterFlat(selector, selector + 8, 0, isLong ? RIGHTS_L : RIGHTS_DB, isLong ? rip : <u32>rip);
}

export function systemExit(uop: u32): bool {
  const selector = load<u32>(SYSENTER_CS) & 0xfffc;
  if (!isProtected() || !selector) return fault(VECTOR_GP, 0);
  if (!privileged()) return false;
  const toLong = sizeOf(uop) == 8;
  const rip = load<u64>(RDX);
  const rsp = load<u64>(RCX);
  if (toLong && (!isCanonical(rip) || !isCanonical(rsp))) return fault(VECTOR_GP, 0);
  store<u64>(RSP, toLong ? rsp : <u32>rsp);
  return toLong
    ? enterFlat((selector + 32) | 3, (selector + 40) | 3, 3, RIGHTS_L, rip)
    : enterFlat((selector + 16) | 3, (selector + 24) | 3, 3, RIGHTS_DB, <u32>rip);
}

export function swapGs(): bool {
  if (load<u32>(CODE_BITS) != 64) return plainFault(VECTOR_UD);
  if (!privileged()) return false;
  const base = load<u64>(SEG_BASE + GS * 8);
  store<u64>(SEG_BASE + GS * 8, load<u64>(KERNEL_GS_BASE));
  store<u64>(KERNEL_GS_BASE, base);
  return true;
}
