// How SSE, MMX and x87 micro-ops reach their operands, and the exceptions that they share.
import { CR0, CR4, EXIT_UNSUPPORTED, TMP0, UOP_B, UOP_IMM } from "../src/layout";
import { SSE_ALIGNED, SSE_IMMEDIATE } from "../src/ops/sse";
import { writeBytes } from "./access";
import { exitAtInstruction, fault, plainFault, VECTOR_GP, VECTOR_UD } from "./fault";
import { readable, writable } from "./tlb";

export const CR0_MP: u32 = 2;
export const CR0_EM: u32 = 4;
export const CR0_TS: u32 = 8;
export const CR0_NE: u32 = 0x20;
export const CR4_OSFXSR: u32 = 0x200;
export const CR4_OSXMMEXCPT: u32 = 0x400;

/** Bits of MXCSR that exist: DAZ is one of them. */
export const MXCSR_MASK: u32 = 0xffff;

const NM: u32 = 7;

/** #GP(0). Always false, as the functions of fault.ts. */
export function raiseGeneralProtection(): bool {
  return fault(VECTOR_GP, 0);
}

/** The run ends: the engine can't do this. */
export function unsupported(): bool {
  return exitAtInstruction(EXIT_UNSUPPORTED);
}

/** May SSE be used? #UD comes before #NM (AMD APM volume 3, each instruction's table of exceptions). */
// @ts-ignore: decorator
@inline
export function sseAvailable(): bool {
  return !(load<u32>(CR0) & (CR0_EM | CR0_TS)) && (load<u32>(CR4) & CR4_OSFXSR) != 0 ? true : raiseUnavailable();
}

function raiseUnavailable(): bool {
  return plainFault(load<u32>(CR0) & CR0_EM || !(load<u32>(CR4) & CR4_OSFXSR) ? VECTOR_UD : NM);
}

/** Host address of a micro-op's source: register B, its memory operand or its immediate. 0 on a fault. */
// @ts-ignore: decorator
@inline
export function source(uop: u32, address: u64): u32 {
  const how = load<u32>(uop, UOP_IMM + 4);
  return how ? otherSource(uop, address, how) : load<u16>(uop, UOP_B);
}

function otherSource(uop: u32, address: u64, how: u32): u32 {
  if (how == SSE_IMMEDIATE) {
    store<u64>(TMP0, load<u8>(uop, UOP_IMM));
    return TMP0;
  }
  if (how & SSE_ALIGNED && address & 15) {
    raiseGeneralProtection();
    return 0;
  }
  return readable(address, how & 0xff);
}

/** Writes the 128 bits at host address `from` to guest memory. False on a fault: nothing was written. */
export function write128(linear: u64, from: u32): bool {
  const at = writable(linear, 16);
  if (!at) return writeBytes(linear, 16, from);
  v128.store(at, v128.load(from));
  return true;
}
