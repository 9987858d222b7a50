// System instructions: which function does which.
import {
  CPL, CS, EFLAGS_REST, EXIT_CPUID, EXIT_HLT, EXIT_HYPERCALL, EXIT_UNSUPPORTED, GDT_BASE, GDT_LIMIT, IDT_BASE, IDT_LIMIT,
  IRQ_SHADOW, IRQ_WAITING, LDTR, RIP, SEG_SELECTOR, SHADOW_BUDGET, SS, TR, UOP_A, UOP_DISP, UOP_IMM, CR0, BUDGET,
} from "../src/layout";
import {
  OP_CALL_FAR, OP_CALL_FAR_M, OP_CLI, OP_CLTS, OP_CPUID, OP_HLT, OP_IN, OP_INS, OP_INT, OP_INTO, OP_INVLPG, OP_IRET,
  OP_JMP_FAR, OP_JMP_FAR_M, OP_LAR, OP_LGDT, OP_LIDT, OP_LLDT, OP_LMSW, OP_LOAD_POINTER, OP_LSL, OP_LTR, OP_MOV_FROM_CR,
  OP_MOV_FROM_DR, OP_MOV_FROM_SEGMENT, OP_MOV_TO_CR, OP_MOV_TO_DR, OP_MOV_TO_SEGMENT, OP_OUT, OP_OUTS, OP_POPF,
  OP_POP_SEGMENT, OP_PUSHF, OP_PUSH_SEGMENT, OP_RDMSR, OP_RDPMC, OP_RDRAND, OP_RDTSC, OP_RDTSCP, OP_RETF, OP_SGDT,
  OP_SIDT, OP_SLDT, OP_SMSW, OP_STI, OP_STR, OP_SWAPGS, OP_SYSCALL, OP_SYSENTER, OP_SYSEXIT, OP_SYSRET, OP_VERR, OP_VERW,
  OP_VMCALL, OP_WBINVD, OP_WRMSR, SYS_FLAG,
} from "../src/ops/system";
import {
  clearTaskSwitched, loadStatusWord, moveFromControl, moveFromDebug, moveToControl, moveToDebug,
} from "./control-registers";
import { loadAccessRights, loadSegmentLimit, verify } from "./descriptor-queries";
import { deliver, EVENT_EXTERNAL, EVENT_SOFTWARE } from "./exceptions";
import { callFar, jumpFar, returnFar } from "./far-transfer";
import { exitAtInstruction, fault, plainFault, VECTOR_GP, VECTOR_UD } from "./fault";
import { overflow } from "./flags";
import { moveStack, peek, peeked, poke, push, readStack } from "./implicit";
import { FLAG_IF, FLAG_TF } from "./interrupt-flags";
import { changeableFlags, changeFlags, interruptReturn } from "./interrupt-return";
import { readFlags } from "./flags";
import { random, readMsrInstruction, readTimeStamp, writeMsrInstruction } from "./model-specific";
import { isProtected } from "./modes";
import { isCanonical } from "./paging";
import { portIn, portIns, portOut, portOuts } from "./port-io";
import { loadLdt, loadSegment, loadTask } from "./segments";
import { swapGs, systemCall, systemEnter, systemExit, systemReturn } from "./system-call";
import {
  enter, leave, next, nextRip, numberOf, operand, privileged, readSelector, setRegister, sizeOf, SYSTEM_ENTER,
  SYSTEM_EVENTS, SYSTEM_FAULT, SYSTEM_NEXT, writeWord,
} from "./system-operands";
import { invalidatePage } from "./tlb";
export { SYSTEM_ENTER, SYSTEM_EVENTS, SYSTEM_FAULT, SYSTEM_NEXT } from "./system-operands";

/** IF by STI, POPF or IRET: whether the loop around the run loop has something to do now. */
function eventsDue(): bool {
  const flags = load<u64>(EFLAGS_REST);
  return (flags & FLAG_TF) != 0 || ((flags & FLAG_IF) != 0 && load<u32>(IRQ_WAITING) != 0);
}

/** Where flags were changed and RIP is new. */
function flagsChanged(done: bool): u32 {
  return done ? (eventsDue() ? SYSTEM_EVENTS : SYSTEM_ENTER) : SYSTEM_FAULT;
}

/** CLI and STI: at IOPL or more privileged. */
function mayChangeInterrupts(): bool {
  const iopl = <u32>(load<u64>(EFLAGS_REST) >> 12) & 3;
  return !isProtected() || load<u32>(CPL) <= iopl ? true : fault(VECTOR_GP, 0);
}

/** Interrupts wait for one instruction more. BUDGET is that in front of this one, which retires. */
function beginShadow(): void {
  store<u32>(IRQ_SHADOW, 1);
  store<i64>(SHADOW_BUDGET, load<i64>(BUDGET) - 1);
}

function setInterrupts(uop: u32): u32 {
  if (!mayChangeInterrupts()) return SYSTEM_FAULT;
  if (load<u64>(EFLAGS_REST) & FLAG_IF) return SYSTEM_NEXT;
  store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) | FLAG_IF);
  beginShadow();
  if (!load<u32>(IRQ_WAITING)) return SYSTEM_NEXT;
  leave(uop);
  return SYSTEM_EVENTS;
}

function popFlags(uop: u32): u32 {
  const size = sizeOf(uop);
  if (!readStack(0, size)) return SYSTEM_FAULT;
  moveStack(size);
  changeFlags(peeked, changeableFlags(size));
  if (!eventsDue()) return SYSTEM_NEXT;
  leave(uop);
  return SYSTEM_EVENTS;
}

function softwareInterrupt(uop: u32, vector: u32): u32 {
  const kind = load<u32>(uop, UOP_IMM) & SYS_FLAG ? EVENT_EXTERNAL : EVENT_SOFTWARE;
  return enter(deliver(vector, kind, false, 0, nextRip(uop)));
}

function loadTable(uop: u32, address: u64, base: u32, limit: u32): bool {
  if (!privileged()) return false;
  const size = sizeOf(uop);
  if (!peek(address, 2)) return false;
  const bytes = peeked;
  if (!peek(address + 2, size == 8 ? 8 : 4)) return false;
  // A 16-bit operand has a base of 24 bits.
  const at = size == 2 ? peeked & 0xffffff : peeked;
  if (size == 8 && !isCanonical(at)) return fault(VECTOR_GP, 0);
  store<u64>(base, at);
  store<u32>(limit, <u32>bytes);
  return true;
}

function storeTable(uop: u32, address: u64, base: u32, limit: u32): bool {
  return poke(address, 2, load<u32>(limit)) && poke(address + 2, sizeOf(uop) == 8 ? 8 : 4, load<u64>(base));
}

function moveToSegment(uop: u32, address: u64): u32 {
  const segment = numberOf(uop);
  if (segment == CS) return next(plainFault(VECTOR_UD));
  if (!readSelector(uop, address, load<u16>(uop, UOP_A))) return SYSTEM_FAULT;
  if (!loadSegment(segment, operand)) return SYSTEM_FAULT;
  if (segment != SS) return SYSTEM_NEXT;
  return stackSegmentLoaded(uop);
}

/** The instruction behind a load of SS belongs to it; decoding depends on SS in no way. */
function stackSegmentLoaded(uop: u32): u32 {
  beginShadow();
  if (!load<u32>(IRQ_WAITING)) return SYSTEM_NEXT;
  leave(uop);
  return SYSTEM_EVENTS;
}

function popSegment(uop: u32): u32 {
  const segment = numberOf(uop);
  const size = sizeOf(uop);
  if (!readStack(0, size)) return SYSTEM_FAULT;
  if (!loadSegment(segment, <u32>peeked & 0xffff)) return SYSTEM_FAULT;
  moveStack(size);
  return segment == SS ? stackSegmentLoaded(uop) : SYSTEM_NEXT;
}

function loadPointer(uop: u32, address: u64): bool {
  const size = sizeOf(uop);
  if (!peek(address + size, 2)) return false;
  const selector = <u32>peeked;
  if (!peek(address, size)) return false;
  const offset = peeked;
  if (!loadSegment(numberOf(uop), selector)) return false;
  setRegister(load<u16>(uop, UOP_A), size, offset);
  return true;
}

function farThroughMemory(uop: u32, address: u64, isCall: bool): bool {
  const size = sizeOf(uop);
  if (!peek(address + size, 2)) return false;
  const selector = <u32>peeked;
  if (!peek(address, size)) return false;
  return isCall ? callFar(selector, peeked, size, nextRip(uop)) : jumpFar(selector, peeked, size);
}

/** LLDT, LTR, SLDT, STR: not in real mode. */
function needsProtected(): bool {
  return isProtected() ? true : plainFault(VECTOR_UD);
}

/** Does the micro-op: see SYSTEM_*. */
export function system(op: i32, uop: u32, address: u64): u32 {
  switch (op) {
    case OP_HLT:
      if (!privileged()) return SYSTEM_FAULT;
      leave(uop);
      return EXIT_HLT;
    case OP_CLI:
      if (!mayChangeInterrupts()) return SYSTEM_FAULT;
      store<u64>(EFLAGS_REST, load<u64>(EFLAGS_REST) & ~FLAG_IF);
      return SYSTEM_NEXT;
    case OP_STI: return setInterrupts(uop);
    case OP_PUSHF: return next(push(readFlags() & 0xfcffff, sizeOf(uop)));
    case OP_POPF: return popFlags(uop);
    case OP_INT: return softwareInterrupt(uop, numberOf(uop));
    case OP_INTO: return overflow() ? softwareInterrupt(uop, 4) : SYSTEM_NEXT;
    case OP_IRET: return flagsChanged(interruptReturn(sizeOf(uop)));
    case OP_SYSCALL: return enter(systemCall(uop));
    case OP_SYSRET: return flagsChanged(systemReturn(uop));
    case OP_SYSENTER: return enter(systemEnter());
    case OP_SYSEXIT: return enter(systemExit(uop));
    case OP_SWAPGS: return next(swapGs());
    case OP_LGDT: return next(loadTable(uop, address, GDT_BASE, GDT_LIMIT));
    case OP_LIDT: return next(loadTable(uop, address, IDT_BASE, IDT_LIMIT));
    case OP_SGDT: return next(storeTable(uop, address, GDT_BASE, GDT_LIMIT));
    case OP_SIDT: return next(storeTable(uop, address, IDT_BASE, IDT_LIMIT));
    case OP_LLDT:
      return next(needsProtected() && privileged() && readSelector(uop, address, load<u16>(uop, UOP_A)) && loadLdt(operand));
    case OP_LTR:
      return next(needsProtected() && privileged() && readSelector(uop, address, load<u16>(uop, UOP_A)) && loadTask(operand));
    case OP_SLDT: return next(needsProtected() && writeWord(uop, address, load<u32>(SEG_SELECTOR + LDTR * 4)));
    case OP_STR: return next(needsProtected() && writeWord(uop, address, load<u32>(SEG_SELECTOR + TR * 4)));
    case OP_SMSW: return next(writeWord(uop, address, load<u64>(CR0)));
    case OP_LMSW:
      if (!privileged() || !readSelector(uop, address, load<u16>(uop, UOP_A))) return SYSTEM_FAULT;
      return loadStatusWord(operand) ? leave(uop) : SYSTEM_FAULT;
    case OP_CLTS: return next(privileged() && clearTaskSwitched());
    case OP_MOV_TO_CR: return moveToControl(uop);
    case OP_MOV_FROM_CR: return moveFromControl(uop);
    case OP_MOV_TO_DR: return moveToDebug(uop);
    case OP_MOV_FROM_DR: return moveFromDebug(uop);
    case OP_MOV_TO_SEGMENT: return moveToSegment(uop, address);
    case OP_MOV_FROM_SEGMENT: return next(writeWord(uop, address, load<u32>(SEG_SELECTOR + numberOf(uop) * 4)));
    case OP_PUSH_SEGMENT: return next(push(load<u32>(SEG_SELECTOR + numberOf(uop) * 4), sizeOf(uop)));
    case OP_POP_SEGMENT: return popSegment(uop);
    case OP_LOAD_POINTER: return next(loadPointer(uop, address));
    case OP_LAR: return loadAccessRights(uop, address);
    case OP_LSL: return loadSegmentLimit(uop, address);
    case OP_VERR: return verify(uop, address, false);
    case OP_VERW: return verify(uop, address, true);
    case OP_RDMSR: return readMsrInstruction(uop);
    case OP_WRMSR: return writeMsrInstruction(uop);
    case OP_RDTSC: return readTimeStamp(false);
    case OP_RDTSCP: return readTimeStamp(true);
    // No performance counters are offered.
    case OP_RDPMC: return next(fault(VECTOR_GP, 0));
    case OP_CPUID:
      leave(uop);
      return EXIT_CPUID;
    case OP_WBINVD: return next(privileged());
    case OP_INVLPG:
      if (!privileged()) return SYSTEM_FAULT;
      invalidatePage(address);
      return leave(uop);
    case OP_IN: return portIn(uop);
    case OP_OUT: return portOut(uop);
    case OP_INS: return portIns(uop);
    case OP_OUTS: return portOuts(uop);
    case OP_VMCALL:
      leave(uop);
      return EXIT_HYPERCALL;
    case OP_RDRAND: return random(uop);
    case OP_JMP_FAR: return enter(jumpFar(numberOf(uop), load<u32>(uop, UOP_DISP), sizeOf(uop)));
    case OP_CALL_FAR: return enter(callFar(numberOf(uop), load<u32>(uop, UOP_DISP), sizeOf(uop), nextRip(uop)));
    case OP_JMP_FAR_M: return enter(farThroughMemory(uop, address, false));
    case OP_CALL_FAR_M: return enter(farThroughMemory(uop, address, true));
    case OP_RETF: return enter(returnFar(sizeOf(uop), numberOf(uop)));
    default:
      exitAtInstruction(EXIT_UNSUPPORTED);
      return SYSTEM_FAULT;
  }
}
