// CR0–CR4, CR8, DR0–DR7: what may be written, and what follows. AMD64 APM volume 2, 3.1 and 13.1.
import {
  CODE_BITS, CR0, CR2, CR3, CR4, CR8, CS, C_BIT_MASK, DR, EFER, EXIT_CR8, EXIT_ARG0, PTE_RESERVED_MASK, RIP, SEG_RIGHTS,
  TR, UOP_A,
} from "../src/layout";
import { fault, plainFault, VECTOR_DB, VECTOR_GP, VECTOR_UD } from "./fault";
import { CR0_PE, EFER_LMA, isLongMode, updateMode } from "./modes";
import {
  getRegister, leave, next, nextRip, numberOf, privileged, setRegister, sizeOf, SYSTEM_FAULT,
} from "./system-operands";
import { flushMappings, flushNonGlobal } from "./tlb";
import { RIGHTS_L } from "./rights";

const CR0_TS: u64 = 1 << 3;
const CR0_ET: u64 = 1 << 4;
const CR0_WP: u64 = 1 << 16;
const CR0_NW: u64 = 1 << 29;
const CR0_CD: u64 = 1 << 30;
const CR0_PG: u64 = 1 << 31;
/** PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG. */
const CR0_KNOWN: u64 = 0xe005_003f;
const CR4_PSE: u64 = 1 << 4;
const CR4_PAE: u64 = 1 << 5;
const CR4_PGE: u64 = 1 << 7;
const CR4_DE: u64 = 1 << 3;
/** Up to OSXMMEXCPT: what the CPUID that this engine can serve offers. */
const CR4_KNOWN: u64 = 0x7ff;
const EFER_LME: u64 = 1 << 8;
const DR7: u32 = DR + 5 * 8;
const DR7_GD: u64 = 1 << 13;
const DR6: u32 = DR + 4 * 8;
const DR6_BD: u64 = 1 << 13;

/** MOV to CRn. */
export function moveToControl(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  const value = getRegister(load<u16>(uop, UOP_A), sizeOf(uop));
  switch (numberOf(uop)) {
    case 0:
      return writeCr0(value) ? leave(uop) : SYSTEM_FAULT;
    case 2:
      store<u64>(CR2, value);
      return next(true);
    case 3:
      return writeCr3(value) ? leave(uop) : SYSTEM_FAULT;
    case 4:
      return writeCr4(value) ? leave(uop) : SYSTEM_FAULT;
    case 8:
      if (value & ~0xf) return next(fault(VECTOR_GP, 0));
      store<u64>(CR8, value);
      store<u64>(EXIT_ARG0, value);
      store<u64>(RIP, nextRip(uop));
      return EXIT_CR8;
    default:
      return next(plainFault(VECTOR_UD));
  }
}

/** MOV from CRn. */
export function moveFromControl(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  let value: u64;
  switch (numberOf(uop)) {
    case 0: value = load<u64>(CR0); break;
    case 2: value = load<u64>(CR2); break;
    case 3: value = load<u64>(CR3); break;
    case 4: value = load<u64>(CR4); break;
    case 8: value = load<u64>(CR8); break;
    default: return next(plainFault(VECTOR_UD));
  }
  setRegister(load<u16>(uop, UOP_A), sizeOf(uop), value);
  return next(true);
}

/** False (#GP) where the value is impossible. */
export function writeCr0(value: u64): bool {
  if (value >> 32) return fault(VECTOR_GP, 0);
  value = (value & CR0_KNOWN) | CR0_ET;
  if (value & CR0_PG && !(value & CR0_PE)) return fault(VECTOR_GP, 0);
  if (value & CR0_NW && !(value & CR0_CD)) return fault(VECTOR_GP, 0);
  const changed = load<u64>(CR0) ^ value;
  const efer = load<u64>(EFER);
  if (changed & CR0_PG) {
    if (value & CR0_PG) {
      if (efer & EFER_LME) {
        const code = load<u32>(SEG_RIGHTS + CS * 4);
        if (!(load<u64>(CR4) & CR4_PAE) || code & RIGHTS_L) return fault(VECTOR_GP, 0);
        // A 16-bit TSS can't be used in long mode.
        if ((load<u32>(SEG_RIGHTS + TR * 4) & 0x1d) == 1) return fault(VECTOR_GP, 0);
        store<u64>(EFER, efer | EFER_LMA);
      }
    } else {
      if (load<u32>(CODE_BITS) == 64) return fault(VECTOR_GP, 0);
      store<u64>(EFER, efer & ~EFER_LMA);
    }
  }
  store<u64>(CR0, value);
  if (changed & (CR0_PG | CR0_PE | CR0_WP)) flushMappings();
  if (changed & (CR0_PG | CR0_PE)) updateMode();
  return true;
}

function writeCr3(value: u64): bool {
  if (isLongMode()) {
    const reserved = (load<u64>(PTE_RESERVED_MASK) | 0xfff0_0000_0000_0000) & ~load<u64>(C_BIT_MASK);
    if (value & reserved) return fault(VECTOR_GP, 0);
  }
  store<u64>(CR3, value);
  if (load<u64>(CR4) & CR4_PGE) flushNonGlobal();
  else flushMappings();
  return true;
}

function writeCr4(value: u64): bool {
  if (value & ~CR4_KNOWN) return fault(VECTOR_GP, 0);
  if (isLongMode() && !(value & CR4_PAE)) return fault(VECTOR_GP, 0);
  const changed = load<u64>(CR4) ^ value;
  store<u64>(CR4, value);
  if (changed & (CR4_PSE | CR4_PAE | CR4_PGE)) flushMappings();
  return true;
}

export function clearTaskSwitched(): bool {
  store<u64>(CR0, load<u64>(CR0) & ~CR0_TS);
  return true;
}

/** LMSW: PE, MP, EM and TS; it can't clear PE. */
export function loadStatusWord(value: u64): bool {
  const old = load<u64>(CR0);
  return writeCr0((old & ~0xf) | (value & 0xf) | (old & CR0_PE));
}

/** Breakpoints are stored and never hit: DR0–DR3 and DR7 don't stop anything. */
function debugRegister(number: u32): u32 {
  // DR4 and DR5 are DR6 and DR7 where CR4.DE doesn't forbid them.
  if (number == 4 || number == 5) {
    if (load<u64>(CR4) & CR4_DE) {
      plainFault(VECTOR_UD);
      return 0;
    }
    number += 2;
  }
  if (load<u64>(DR7) & DR7_GD) {
    store<u64>(DR6, load<u64>(DR6) | DR6_BD);
    store<u64>(DR7, load<u64>(DR7) & ~DR7_GD);
    plainFault(VECTOR_DB);
    return 0;
  }
  return DR + (number < 4 ? number : number - 2) * 8;
}

export function moveToDebug(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  const at = debugRegister(numberOf(uop));
  if (!at) return SYSTEM_FAULT;
  let value = getRegister(load<u16>(uop, UOP_A), sizeOf(uop));
  if (at >= DR6) {
    if (value >> 32) return next(fault(VECTOR_GP, 0));
    value = at == DR6 ? (value & 0xe00f) | 0xffff_0ff0 : (value & 0xffff_2bff) | 0x400;
  }
  store<u64>(at, value);
  return next(true);
}

export function moveFromDebug(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  const at = debugRegister(numberOf(uop));
  if (!at) return SYSTEM_FAULT;
  setRegister(load<u16>(uop, UOP_A), sizeOf(uop), load<u64>(at));
  return next(true);
}
