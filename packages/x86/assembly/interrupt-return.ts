// IRET in every mode but to and from virtual-8086 mode and tasks. AMD64 APM volume 2, 8.7.4 and 8.9.5.
import { CPL, CS, EFLAGS_REST, EXIT_UNSUPPORTED, NMI_BLOCKED, RIP, SS } from "../src/layout";
import { markAccessed } from "./descriptors";
import { checkOffset, checkReturn, enterCode, enterOuter } from "./far-transfer";
import { exitAtInstruction, fault, VECTOR_GP } from "./fault";
import { readFlags, writeFlags } from "./flags";
import { moveStack, peeked, readStack, RSP } from "./implicit";
import { FLAG_IF, FLAG_NT, FLAG_VM } from "./interrupt-flags";
import { is64BitCode, isLongMode, isProtected, updateMode } from "./modes";
import { loadReal } from "./segments";

const FLAG_IOPL: u64 = 0x3000;
/** Arithmetic flags, TF, DF, NT, AC and ID: what any privilege may set. RF isn't kept: nothing here looks at it. */
const FLAGS_OF_ALL: u64 = 0x24_4dd5;

/** Which bits of RFLAGS an IRET or POPF of `size` bytes may change at the current privilege. */
export function changeableFlags(size: u32): u32 {
  let mask = FLAGS_OF_ALL;
  const cpl = load<u32>(CPL);
  if (cpl == 0) mask |= FLAG_IOPL;
  if (!isProtected() || cpl <= (<u32>load<u64>(EFLAGS_REST) >> 12 & 3)) mask |= FLAG_IF;
  return <u32>(size == 2 ? mask & 0xffff : mask);
}

/** Sets the bits of RFLAGS that `mask` has. */
export function changeFlags(value: u64, mask: u32): void {
  writeFlags((readFlags() & ~mask) | (<u32>value & mask));
}

/** False on a fault. */
export function interruptReturn(size: u32): bool {
  if (isProtected() && load<u64>(EFLAGS_REST) & FLAG_NT)
    return isLongMode() ? fault(VECTOR_GP, 0) : exitAtInstruction(EXIT_UNSUPPORTED);
  if (!readStack(0, size)) return false;
  const offset = peeked;
  if (!readStack(size, size)) return false;
  const selector = <u32>peeked & 0xffff;
  if (!readStack(2 * size, size)) return false;
  const flags = peeked;
  const mask = changeableFlags(size);
  if (!isProtected()) {
    if (offset > 0xffff) return fault(VECTOR_GP, 0);
    moveStack(3 * size);
    loadReal(CS, selector);
    store<u64>(RIP, offset);
    updateMode();
  } else {
    const cpl = load<u32>(CPL);
    if (!isLongMode() && size == 4 && cpl == 0 && flags & FLAG_VM) return exitAtInstruction(EXIT_UNSUPPORTED);
    if (!checkReturn(selector) || !checkOffset(offset)) return false;
    const from64 = is64BitCode();
    if ((selector & 3) != cpl || from64) {
      // 64-bit code always has RSP and SS on the stack.
      if (!readStack(4 * size, size)) return false;
      const stackSelector = <u32>peeked & 0xffff;
      if (!readStack(3 * size, size)) return false;
      if (!enterOuter(selector, offset, stackSelector, peeked)) return false;
    } else {
      if (!markAccessed()) return false;
      moveStack(3 * size);
      enterCode(selector, offset, cpl);
    }
  }
  changeFlags(flags, mask);
  store<u32>(NMI_BLOCKED, 0);
  return true;
}
