// The x87's environment and state in memory: FLDCW, FSTENV, FSAVE and their counterparts, FXSAVE and FXRSTOR.
import {
  CODE_BITS, CR0, FPU_CONTROL, FPU_DP, FPU_IP, FPU_OPCODE, FPU_STATUS, FPU_TAG, MXCSR, UOP_IMM, XMM,
} from "../src/layout";
import { writeBytes } from "./access";
import { plainFault } from "./fault";
import { a, FINITE, ZERO } from "./soft-number";
import { CR0_EM, CR0_TS, MXCSR_MASK, raiseGeneralProtection, unsupported } from "./sse-operands";
import { readable, writable } from "./tlb";
import { isEmpty, loadSt, st, summarise, top } from "./x87-state";

const NM: u32 = 7;
const CR0_PE: u32 = 1;
/** Bytes of an FXSAVE image that are written; what follows is the program's. */
const FXSAVE_BYTES: u32 = 416;

const IMAGE: u32 = <u32>memory.data(512, 16);

/** Bits of the control word that can be written; bit 6 is always set. */
export function setControl(value: u32): void {
  store<u16>(FPU_CONTROL, (value & 0x1f3f) | 0x40);
}

export function initialise(): void {
  store<u16>(FPU_CONTROL, 0x37f);
  store<u16>(FPU_STATUS, 0);
  store<u16>(FPU_TAG, 0);
  store<u16>(FPU_OPCODE, 0);
  store<u64>(FPU_IP, 0);
  store<u64>(FPU_DP, 0);
}

/** Copies guest memory to IMAGE, in pieces that `readable` can put together. False on a fault. */
function readImage(linear: u64, size: u32): bool {
  for (let done: u32 = 0; done < size; ) {
    const piece = size - done < 16 ? size - done : 16;
    const from = readable(linear + done, piece);
    if (!from) return false;
    memory.copy(IMAGE + done, from, piece);
    done += piece;
  }
  return true;
}

function writeImage(linear: u64, size: u32): bool {
  const at = writable(linear, size);
  if (!at) return writeBytes(linear, size, IMAGE);
  memory.copy(at, IMAGE, size);
  return true;
}

/** The tag word with two bits a register: 0 valid, 1 zero, 2 special, 3 empty. */
function fullTags(): u32 {
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    const register = (top() + i) & 7;
    let tag: u32 = 3;
    if (!isEmpty(i)) {
      loadSt(a, i);
      tag = a.kind == ZERO ? 1 : a.kind == FINITE && !a.denormal ? 0 : 2;
    }
    tags |= tag << (register << 1);
  }
  return tags;
}

function setFullTags(tags: u32): void {
  let abridged: u32 = 0;
  for (let register: u32 = 0; register < 8; register++)
    if (((tags >> (register << 1)) & 3) != 3) abridged |= 1 << register;
  store<u16>(FPU_TAG, abridged);
}

/** The environment as protected mode has it, at IMAGE: 7 fields of 32 bits or of 16. Selectors are 0. */
function putEnvironment(bytes: u32): void {
  if (bytes == 28) {
    store<u32>(IMAGE, load<u16>(FPU_CONTROL) | 0xffff_0000);
    store<u32>(IMAGE, load<u16>(FPU_STATUS) | 0xffff_0000, 4);
    store<u32>(IMAGE, fullTags() | 0xffff_0000, 8);
    store<u32>(IMAGE, load<u32>(FPU_IP), 12);
    store<u32>(IMAGE, <u32>load<u16>(FPU_OPCODE) << 16, 16);
    store<u32>(IMAGE, load<u32>(FPU_DP), 20);
    store<u32>(IMAGE, 0xffff_0000, 24);
    return;
  }
  store<u16>(IMAGE, load<u16>(FPU_CONTROL));
  store<u16>(IMAGE, load<u16>(FPU_STATUS), 2);
  store<u16>(IMAGE, fullTags(), 4);
  store<u16>(IMAGE, load<u16>(FPU_IP), 6);
  store<u16>(IMAGE, 0, 8);
  store<u16>(IMAGE, load<u16>(FPU_DP), 10);
  store<u16>(IMAGE, 0, 12);
}

function takeEnvironment(bytes: u32): void {
  const step: u32 = bytes == 28 ? 4 : 2;
  setControl(load<u16>(IMAGE));
  store<u16>(FPU_STATUS, load<u16>(IMAGE + step));
  setFullTags(load<u16>(IMAGE + 2 * step));
  store<u64>(FPU_IP, step == 4 ? load<u32>(IMAGE, 12) : load<u16>(IMAGE, 6));
  store<u64>(FPU_DP, step == 4 ? load<u32>(IMAGE, 20) : load<u16>(IMAGE, 10));
  store<u16>(FPU_OPCODE, step == 4 ? load<u16>(IMAGE, 18) & 0x7ff : 0);
  summarise();
}

/** Real mode has a form of its own, which isn't built. */
function isRealMode(): bool {
  return (load<u32>(CR0) & CR0_PE) == 0;
}

/** FNSTENV: afterwards all exceptions are masked. */
export function storeEnvironment(uop: u32, address: u64): bool {
  if (isRealMode()) return unsupported();
  const bytes = load<u32>(uop, UOP_IMM);
  putEnvironment(bytes);
  if (!writeImage(address, bytes)) return false;
  store<u16>(FPU_CONTROL, load<u16>(FPU_CONTROL) | 0x3f);
  summarise();
  return true;
}

export function loadEnvironment(uop: u32, address: u64): bool {
  if (isRealMode()) return unsupported();
  const bytes = load<u32>(uop, UOP_IMM);
  if (!readImage(address, bytes)) return false;
  takeEnvironment(bytes);
  return true;
}

/** FNSAVE: the environment and ST(0) to ST(7), then FNINIT. */
export function saveAll(uop: u32, address: u64): bool {
  if (isRealMode()) return unsupported();
  const bytes = load<u32>(uop, UOP_IMM);
  putEnvironment(bytes);
  for (let i: u32 = 0; i < 8; i++) memory.copy(IMAGE + bytes + i * 10, st(i), 10);
  if (!writeImage(address, bytes + 80)) return false;
  initialise();
  return true;
}

export function restoreAll(uop: u32, address: u64): bool {
  if (isRealMode()) return unsupported();
  const bytes = load<u32>(uop, UOP_IMM);
  if (!readImage(address, bytes + 80)) return false;
  takeEnvironment(bytes);
  for (let i: u32 = 0; i < 8; i++) memory.copy(st(i), IMAGE + bytes + i * 10, 10);
  return true;
}

/** XMM registers that code of this bitness can see. */
function xmmBytes(): u32 {
  return load<u32>(CODE_BITS) == 64 ? 256 : 128;
}

/** FXSAVE's and FXRSTOR's conditions (AMD APM volume 5). */
function mayExtended(address: u64): bool {
  if (load<u32>(CR0) & (CR0_EM | CR0_TS)) return plainFault(NM);
  return address & 15 ? raiseGeneralProtection() : true;
}

/**
 * FXSAVE, with 64-bit pointers where IMM is 1. XMM registers and MXCSR are saved whatever CR4.OSFXSR says, as Intel's
 * manual allows; the selectors of the 32-bit form are 0.
 */
export function extendedSave(uop: u32, address: u64): bool {
  if (!mayExtended(address)) return false;
  memory.fill(IMAGE, 0, FXSAVE_BYTES);
  store<u16>(IMAGE, load<u16>(FPU_CONTROL));
  store<u16>(IMAGE, load<u16>(FPU_STATUS), 2);
  store<u8>(IMAGE, load<u8>(FPU_TAG), 4);
  store<u16>(IMAGE, load<u16>(FPU_OPCODE), 6);
  if (load<u32>(uop, UOP_IMM)) {
    store<u64>(IMAGE, load<u64>(FPU_IP), 8);
    store<u64>(IMAGE, load<u64>(FPU_DP), 16);
  } else {
    store<u32>(IMAGE, load<u32>(FPU_IP), 8);
    store<u32>(IMAGE, load<u32>(FPU_DP), 16);
  }
  store<u32>(IMAGE, load<u32>(MXCSR), 24);
  store<u32>(IMAGE, MXCSR_MASK, 28);
  for (let i: u32 = 0; i < 8; i++) memory.copy(IMAGE + 32 + (i << 4), st(i), 10);
  memory.copy(IMAGE + 160, XMM, xmmBytes());
  return writeImage(address, 160 + xmmBytes());
}

/** FXRSTOR. Reserved bits of MXCSR are #GP(0), before anything is loaded. */
export function extendedRestore(uop: u32, address: u64): bool {
  if (!mayExtended(address)) return false;
  if (!readImage(address, 160 + xmmBytes())) return false;
  if (load<u32>(IMAGE, 24) & ~MXCSR_MASK) return raiseGeneralProtection();
  setControl(load<u16>(IMAGE));
  store<u16>(FPU_STATUS, load<u16>(IMAGE, 2));
  store<u16>(FPU_TAG, load<u8>(IMAGE, 4));
  store<u16>(FPU_OPCODE, load<u16>(IMAGE, 6) & 0x7ff);
  const wide = load<u32>(uop, UOP_IMM) != 0;
  store<u64>(FPU_IP, wide ? load<u64>(IMAGE, 8) : load<u32>(IMAGE, 8));
  store<u64>(FPU_DP, wide ? load<u64>(IMAGE, 16) : load<u32>(IMAGE, 16));
  store<u32>(MXCSR, load<u32>(IMAGE, 24));
  for (let i: u32 = 0; i < 8; i++) memory.copy(st(i), IMAGE + 32 + (i << 4), 10);
  memory.copy(XMM, IMAGE + 160, xmmBytes());
  summarise();
  return true;
}
