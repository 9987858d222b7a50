// Moves between XMM registers, general registers and memory, and the instructions that save SSE's state.
import { BOUNCE, MXCSR, UOP_A, UOP_B, UOP_IMM } from "../src/layout";
import {
  OP_FXSAVE, OP_LDMXCSR, OP_MASKMOVDQU, OP_MOVMSKPD, OP_MOVMSKPS, OP_MOVNTI32, OP_MOVNTI64, OP_PEXTRW, OP_PINSRW,
  OP_PMOVMSKB, OP_SSE_COPY128, OP_SSE_COPY32, OP_SSE_COPY64, OP_SSE_LOAD32, OP_SSE_LOAD64, OP_SSE_STORE128, OP_SSE_STORE32,
  OP_SSE_STORE64, OP_SSE_TO_GPR32, OP_STMXCSR, SSE_ALIGNED,
} from "../src/ops/sse";
import { writeBytes } from "./access";
import { MXCSR_MASK, raiseGeneralProtection, source, unsupported, write128 } from "./sse-operands";
import { updatable, write } from "./tlb";
import { extendedRestore, extendedSave } from "./x87-environment";

/**
 * Stores the bytes of `value` that `mask` selects by bit 7. All 16 bytes must be writable, also those that are not
 * selected: AMD's processors have it so, Intel's leave it open.
 */
function maskedStore(linear: u64, value: v128, mask: v128): bool {
  const selected = i8x16.shr_s(mask, 7);
  const at = updatable(linear, 16);
  if (!at) return false;
  v128.store(at, v128.bitselect(value, v128.load(at), selected));
  return at != BOUNCE || writeBytes(linear, 16, BOUNCE);
}

/** What doesn't ask whether SSE is switched on. */
export function unboundMove(op: i32, uop: u32, address: u64): bool {
  const from = load<u16>(uop, UOP_B);
  switch (op) {
    case OP_MOVNTI32: return write<u32>(address, load<u32>(from));
    case OP_MOVNTI64: return write<u64>(address, load<u64>(from));
    case OP_FXSAVE: return extendedSave(uop, address);
    default: return extendedRestore(uop, address);
  }
}

/** OP_SSE_COPY32 to OP_STMXCSR. */
export function move(op: i32, uop: u32, address: u64): bool {
  const to = load<u16>(uop, UOP_A);
  switch (op) {
    case OP_SSE_COPY32: {
      const from = source(uop, address);
      if (!from) return false;
      store<u32>(to, load<u32>(from));
      return true;
    }
    case OP_SSE_COPY64: {
      const from = source(uop, address);
      if (!from) return false;
      store<u64>(to, load<u64>(from));
      return true;
    }
    case OP_SSE_COPY128: {
      const from = source(uop, address);
      if (!from) return false;
      v128.store(to, v128.load(from));
      return true;
    }
    case OP_SSE_LOAD32: {
      const from = source(uop, address);
      if (!from) return false;
      v128.store(to, v128.load32_zero(from));
      return true;
    }
    case OP_SSE_LOAD64: {
      const from = source(uop, address);
      if (!from) return false;
      v128.store(to, v128.load64_zero(from));
      return true;
    }
    case OP_SSE_TO_GPR32: {
      store<u64>(to, load<u32>(load<u16>(uop, UOP_B)));
      return true;
    }
    case OP_SSE_STORE32: return write<u32>(address, load<u32>(load<u16>(uop, UOP_B)));
    case OP_SSE_STORE64: return write<u64>(address, load<u64>(load<u16>(uop, UOP_B)));
    case OP_SSE_STORE128: {
      if (load<u32>(uop, UOP_IMM + 4) & SSE_ALIGNED && address & 15) return raiseGeneralProtection();
      return write128(address, load<u16>(uop, UOP_B));
    }
    case OP_MOVMSKPS: {
      store<u64>(to, i32x4.bitmask(v128.load(load<u16>(uop, UOP_B))));
      return true;
    }
    case OP_MOVMSKPD: {
      store<u64>(to, i64x2.bitmask(v128.load(load<u16>(uop, UOP_B))));
      return true;
    }
    case OP_PMOVMSKB: {
      store<u64>(to, i8x16.bitmask(v128.load(load<u16>(uop, UOP_B))));
      return true;
    }
    case OP_PINSRW: {
      const from = source(uop, address);
      if (!from) return false;
      store<u16>(to + ((load<u32>(uop, UOP_IMM) & 7) << 1), load<u16>(from));
      return true;
    }
    case OP_PEXTRW: {
      store<u64>(to, load<u16>(load<u16>(uop, UOP_B) + ((load<u32>(uop, UOP_IMM) & 7) << 1)));
      return true;
    }
    case OP_MASKMOVDQU: return maskedStore(address, v128.load(to), v128.load(load<u16>(uop, UOP_B)));
    case OP_LDMXCSR: {
      const from = source(uop, address);
      if (!from) return false;
      const value = load<u32>(from);
      if (value & ~MXCSR_MASK) return raiseGeneralProtection();
      store<u32>(MXCSR, value);
      return true;
    }
    case OP_STMXCSR: return write<u32>(address, load<u32>(MXCSR));
    default: return unsupported();
  }
}
