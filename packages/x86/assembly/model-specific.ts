// MSRs that the core holds, RDMSR and WRMSR, the clock and CPUID. AMD64 APM volume 2, appendix A.
import {
  BUDGET, COMPLETING, CPL, CR0, CR4, CSTAR, EFER, EXIT_ARG0, EXIT_ARG1, EXIT_ARG2, EXIT_RDMSR, EXIT_WRMSR, FS, GS,
  KERNEL_GS_BASE, LSTAR, MSR_DONE, MSR_EXITS_ALL, MSR_OWN, MSR_REFUSED, PAT, PENDING, PENDING_NONE, PENDING_RDMSR,
  PENDING_WRMSR, RANDOM, REGS, RETIRED_AT_0, SEG_BASE, SFMASK, STAR, SYSENTER_CS, SYSENTER_EIP, SYSENTER_ESP, TSC_AUX,
  TSC_OFFSET, TSC_RATE, UOP_A,
} from "../src/layout";
import { exitAtInstruction, fault, VECTOR_GP } from "./fault";
import { CF, setArithmeticFlags } from "./flags";
import { tsc } from "./host";
import { isCanonical } from "./paging";
import { leave, next, privileged, setRegister, sizeOf, SYSTEM_FAULT, SYSTEM_NEXT } from "./system-operands";
import { flushMappings } from "./tlb";

const RAX: u32 = REGS;
const RCX: u32 = REGS + 8;
const RDX: u32 = REGS + 16;
const CR0_PG: u64 = 1 << 31;
const CR4_TSD: u64 = 1 << 2;
const EFER_SCE: u64 = 1;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;
const EFER_NXE: u64 = 1 << 11;

const MSR_EFER: u32 = 0xc000_0080;

/** Where the core holds an MSR; 0 where it doesn't. EFER is held too, with rules of its own. */
function held(index: u32): u32 {
  switch (index) {
    case 0x174: return SYSENTER_CS;
    case 0x175: return SYSENTER_ESP;
    case 0x176: return SYSENTER_EIP;
    case 0x277: return PAT;
    case MSR_EFER: return EFER;
    case 0xc000_0081: return STAR;
    case 0xc000_0082: return LSTAR;
    case 0xc000_0083: return CSTAR;
    case 0xc000_0084: return SFMASK;
    case 0xc000_0100: return SEG_BASE + FS * 8;
    case 0xc000_0101: return SEG_BASE + GS * 8;
    case 0xc000_0102: return KERNEL_GS_BASE;
    case 0xc000_0103: return TSC_AUX;
    default: return 0;
  }
}

/** Memory types 0, 1, 4–7 in each byte. */
function isPat(value: u64): bool {
  if (value & 0xf8f8_f8f8_f8f8_f8f8) return false;
  // 2 and 3: bit 1 without bit 2.
  return !(((value >> 1) & ~(value >> 2)) & 0x0101_0101_0101_0101);
}

/** False where the MSR can't have that value. */
function isPossible(index: u32, value: u64): bool {
  switch (index) {
    case MSR_EFER:
      if (value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) return false;
      return !((value ^ load<u64>(EFER)) & EFER_LME && load<u64>(CR0) & CR0_PG);
    case 0x277: return isPat(value);
    // 32 bits.
    case 0xc000_0103: return !(value >> 32);
    // Selectors and masks: nothing is refused.
    case 0x174:
    case 0xc000_0081:
    case 0xc000_0084: return true;
    default: return isCanonical(value);
  }
}

/** For the owner too (module export): sets an MSR that the core holds, with the checks of WRMSR. False where it refuses. */
export function writeMsr(index: u32, value: u64): bool {
  const at = held(index);
  if (!at || !isPossible(index, value)) return false;
  if (index == MSR_EFER) {
    const changed = load<u64>(EFER) ^ value;
    // LMA follows LME and paging; software can't write it.
    value = (value & ~EFER_LMA) | (load<u64>(EFER) & EFER_LMA);
    if (changed & EFER_NXE) flushMappings();
  } else if (index == 0x174 || index == 0xc000_0084) value &= 0xffffffff;
  store<u64>(at, value);
  return true;
}

/** Takes the owner's word on an MSR access that was asked about: MSR_DONE, MSR_REFUSED or MSR_OWN; -1: nothing asked yet. */
function answered(kind: u32): i32 {
  if (!load<u32>(COMPLETING) || load<u32>(PENDING) != kind) return -1;
  store<u32>(PENDING, PENDING_NONE);
  return load<u32>(EXIT_ARG2);
}

function ask(kind: u32, reason: u32, index: u32, value: u64): u32 {
  store<u64>(EXIT_ARG0, index);
  store<u64>(EXIT_ARG1, value);
  store<u32>(PENDING, kind);
  exitAtInstruction(reason);
  return SYSTEM_FAULT;
}

export function readMsrInstruction(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  const index = load<u32>(RCX);
  const at = held(index);
  const word = answered(PENDING_RDMSR);
  let value: u64;
  if (word == MSR_REFUSED) return next(fault(VECTOR_GP, 0));
  if (word == MSR_DONE) value = load<u64>(EXIT_ARG1);
  else if (at && (word == MSR_OWN || !load<u32>(MSR_EXITS_ALL))) value = load<u64>(at);
  else return ask(PENDING_RDMSR, EXIT_RDMSR, index, 0);
  store<u64>(RAX, <u32>value);
  store<u64>(RDX, value >> 32);
  return SYSTEM_NEXT;
}

export function writeMsrInstruction(uop: u32): u32 {
  if (!privileged()) return SYSTEM_FAULT;
  const index = load<u32>(RCX);
  const value = (load<u64>(RDX) << 32) | load<u32>(RAX);
  const word = answered(PENDING_WRMSR);
  if (word == MSR_REFUSED) return next(fault(VECTOR_GP, 0));
  // What the owner did may have changed what follows.
  if (word == MSR_DONE) return leave(uop);
  if (held(index) && (word == MSR_OWN || !load<u32>(MSR_EXITS_ALL)))
    return writeMsr(index, value) ? SYSTEM_NEXT : next(fault(VECTOR_GP, 0));
  return ask(PENDING_WRMSR, EXIT_WRMSR, index, value);
}

/** The time-stamp counter: the host's clock, or counted from what has retired. */
export function timeStamp(): u64 {
  const rate = load<u64>(TSC_RATE);
  if (!rate) return <u64>tsc();
  const retired = load<u64>(RETIRED_AT_0) - load<u64>(BUDGET);
  // retired × rate / 2^16 without the product's overflow.
  return load<u64>(TSC_OFFSET) + (retired >> 16) * rate + (((retired & 0xffff) * rate) >> 16);
}

export function readTimeStamp(withAux: bool): u32 {
  if (load<u64>(CR4) & CR4_TSD && load<u32>(CPL)) return next(fault(VECTOR_GP, 0));
  const value = timeStamp();
  store<u64>(RAX, <u32>value);
  store<u64>(RDX, value >> 32);
  if (withAux) store<u64>(RCX, load<u32>(TSC_AUX));
  return SYSTEM_NEXT;
}

/** RDRAND and RDSEED: xorshift64 from the seed in RANDOM, so that a run can be repeated. Always succeeds. */
export function random(uop: u32): u32 {
  let x = load<u64>(RANDOM);
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  store<u64>(RANDOM, x);
  setRegister(load<u16>(uop, UOP_A), sizeOf(uop), x * 0x2545_f491_4f6c_dd1d);
  setArithmeticFlags(CF);
  return SYSTEM_NEXT;
}
