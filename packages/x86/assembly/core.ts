// The run loop: one micro-op after the other. A case sets `pc` to the next micro-op and `continue`s; one that `break`s
// follows the direct jump at `pc`. Whatever ends the run leads to OP_EXIT. Lines behind `//*` stand for as many cases as
// their lists have combinations, and `//+ pairs` for those of src/ops/pairs.ts: build.mjs writes them out. Cases are numbered without holes, which makes one table of them.
import { EXIT_REASON, EXIT_UNSUPPORTED, PAGE_BASE, UOP_IMM, UOP_LINK, UOP_OP } from "../src/layout";
import {
  FUSED_MI32, FUSED_MI64, FUSED_MI8, FUSED_MR32, FUSED_MR64, FUSED_RI32, FUSED_RI64, FUSED_RI8, FUSED_RM32, FUSED_RM8, FUSED_RR8,
  FUSED_RM64, FUSED_RR32, FUSED_RR64, GROUP_B, GROUP_BE, GROUP_E, GROUP_L, GROUP_LE, MI, MR, OP_ADC, OP_ADD, OP_AND,
  OP_CALL, OP_CALL_M, OP_CALL_R, OP_CMOV_M32, OP_CMOV_M64, OP_CMOV_R32, OP_CMOV_R64, OP_CMP, OP_CMP_JUMP, OP_COLD,
  OP_CROSS, OP_DEC_R32, OP_DEC_R64, OP_EA, OP_EXIT, OP_GOTO, OP_IMUL_M32, OP_IMUL_M64, OP_IMUL_R32, OP_IMUL_R64,
  OP_IMUL_RI32, OP_IMUL_RI64, OP_INC_R32, OP_INC_R64, OP_INDEX, OP_JCC, OP_JMP, OP_JMP_M, OP_JMP_R, OP_LEAVE,
  OP_LEA_16, OP_LEA_32, OP_LEA_64, OP_MOV, OP_MOV_LOAD_32, OP_MOV_LOAD_64, OP_MOV_STORE_32, OP_MOV_STORE_64,
  OP_NEG_R32, OP_NEG_R64, OP_NEXT_PAGE, OP_NOP, OP_NOT_R32, OP_NOT_R64, OP_OR, OP_POP_R, OP_PUSH_I, OP_PUSH_M,
  OP_PUSH_R, OP_RESYNC, OP_RET, OP_ROL_I32, OP_ROL_I64, OP_ROR_I32, OP_ROR_I64, OP_SAR_I32, OP_SAR_I64, OP_SBB, OP_SETCC_R, OP_SHL_I32, OP_SHL_I64, OP_SHR_I32,
  OP_SHR_I64, OP_STOP, OP_SUB, OP_SX_M16_32, OP_SX_M16_64, OP_SX_M32_64, OP_SX_M8_32, OP_SX_M8_64, OP_SX_R16_32,
  OP_SX_R16_64, OP_SX_R32_64, OP_SX_R8_32, OP_SX_R8_64, OP_TEST, OP_TEST_JE_MI32, OP_TEST_JE_MI8, OP_TEST_JE_RI32,
  OP_TEST_JE_RI64, OP_TEST_JE_RI8, OP_TEST_JE_RR32, OP_TEST_JE_RR64, OP_TEST_JE_RR8, OP_TEST_JLE_RR32,
  OP_TEST_JLE_RR64, OP_TEST_JS_RR32, OP_TEST_JS_RR64, OP_TEST_JS_RR8, OP_TRANSFER, OP_TRANSFER_END, OP_UD,
  OP_UNSUPPORTED, OP_XOR, OP_ZX_M16, OP_ZX_M8, OP_ZX_R16, OP_ZX_R8, RI, RM, RR, S16, S32, S64, S8,
} from "../src/ops/integer";
import { OP_SSE_FIRST, OP_SYSTEM_FIRST, OP_X87_FIRST } from "../src/ops/ranges";
import { fetchable } from "./access";
import { effectiveAddress } from "./address";
import { exitAtInstruction, plainFault, VECTOR_UD } from "./fault";
import { condition, sign, zero } from "./flags";
import { decodeCrossing } from "./host";
import { COLD_NEXT, COLD_PAUSE, integer, rareAlu } from "./integer";
import {
  ADC, ADD, aluMI, aluMR, aluRI, aluRM, aluRR, AND, CMP, DEC, INC, NEG, NOT, OR, SBB, SUB, TEST, unaryR, XOR,
} from "./integer-alu";
import { B, BE, cmpMI, cmpMR, cmpRI, cmpRM, cmpRR, E, L, LE, S, testMI, testRI, testRR } from "./integer-compare";
import { call, callTo, extendM, extendR, goTo, leave, movMI, movMR, movRM, popped, pushed, ret } from "./integer-move";
import { imul } from "./integer-multiply";
import { rol, ror, shl, shr } from "./integer-shift";
import { transfer, transferTarget, TRANSFER_FAULT, TRANSFER_NOT } from "./integer-transfer";
import {
  begin, comeBack, continueAtRip, exitBehind, faulted, goOn, goOnAt, jump, jumpTo, leaveTrace, replace, resync, stopAt,
} from "./jumps";
import { address, getA, getB, getImmediate, plainAddress, putA } from "./operands";
import { sse } from "./sse";
import { system, SYSTEM_ENTER, SYSTEM_FAULT, SYSTEM_NEXT } from "./system";
import { readable } from "./tlb";
import { x87 } from "./x87";

// @ts-ignore: decorator
@inline
function loaded<T>(pc: u32): u32 {
  return readable(plainAddress(pc), sizeof<T>());
}

/**
 * Runs from RIP on until the budget is used up or something is asked for. Answers EXIT_*. At most one trace more than
 * the budget may retire; BUDGET says exactly how many did. `first`: the micro-op to begin with, or 0.
 */
export function run(first: u32): u32 {
  let pc = begin(first);
  let t: u32 = 0;
  let n: u32 = 0;
  while (true) {
    const op = <i32>load<u16>(pc, UOP_OP);
    switch (op) {
      case OP_RESYNC: pc = resync(pc); continue;
      case OP_GOTO: pc = goOn(pc); continue;
      case OP_NEXT_PAGE: pc = goOnAt(pc, load<u64>(PAGE_BASE) + load<u64>(pc, UOP_IMM)); continue;
      case OP_CROSS: pc = crossing(pc); continue;
      case OP_UD: plainFault(VECTOR_UD); pc = faulted(pc); continue;
      case OP_UNSUPPORTED: exitAtInstruction(EXIT_UNSUPPORTED); pc = faulted(pc); continue;
      case OP_STOP: pc = stopAt(pc); continue;
      case OP_EA: putA<u64>(pc, effectiveAddress(pc, address(pc))); pc += 32; continue;
      case OP_NOP: pc += 32; continue;
      case OP_JMP: break;
      case OP_JMP_R: pc = goTo(pc, getA<u64>(pc)); continue;
      case OP_JMP_M: t = loaded<u64>(pc); pc = t ? goTo(pc, load<u64>(t)) : faulted(pc); continue;
      case OP_CALL: pc = call(pc); continue;
      case OP_CALL_R: pc = callTo(pc, getA<u64>(pc)); continue;
      case OP_CALL_M: t = loaded<u64>(pc); pc = t ? callTo(pc, load<u64>(t)) : faulted(pc); continue;
      case OP_RET: pc = ret(pc); continue;
      case OP_PUSH_R: pc = pushed(pc, getA<u64>(pc)); continue;
      case OP_PUSH_I: pc = pushed(pc, getImmediate<u64>(pc)); continue;
      case OP_PUSH_M: t = loaded<u64>(pc); pc = t ? pushed(pc, load<u64>(t)) : faulted(pc); continue;
      case OP_POP_R: pc = popped(pc); continue;
      case OP_LEAVE: pc = leave(pc); continue;
      case OP_LEA_16: putA<u16>(pc, <u16>address(pc)); pc += 32; continue;
      case OP_LEA_32: putA<u32>(pc, <u32>address(pc)); pc += 32; continue;
      case OP_LEA_64: putA<u64>(pc, address(pc)); pc += 32; continue;
      //* b=32,64 | case OP_MOV_LOAD_$b: pc = movRM<u$b>(pc, plainAddress(pc)); continue;
      //* b=32,64 | case OP_MOV_STORE_$b: pc = movMR<u$b>(pc, plainAddress(pc)); continue;
      case OP_INDEX: putA<u64>(pc, address(pc)); pc += 32; continue;
      case OP_EXIT: return load<u32>(EXIT_REASON);
      //* b=8,16,32,64 | case OP_MOV + RR + S$b: putA<u$b>(pc, getB<u$b>(pc)); pc += 32; continue;
      //* b=8,16,32,64 | case OP_MOV + RI + S$b: putA<u$b>(pc, getImmediate<u$b>(pc)); pc += 32; continue;
      //* b=8,16,32,64 | case OP_MOV + RM + S$b: pc = movRM<u$b>(pc, address(pc)); continue;
      //* b=8,16,32,64 | case OP_MOV + MR + S$b: pc = movMR<u$b>(pc, address(pc)); continue;
      //* b=8,16,32,64 | case OP_MOV + MI + S$b: pc = movMI<u$b>(pc); continue;
      //* k=ADD,OR s=RR,RI,RM,MR,MI | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* k=ADC s=RR,RI,RM | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* k=ADC s=MR,MI | case OP_$k + $s + S8: case OP_$k + $s + S16: case OP_$k + $s + S32: case OP_$k + $s + S64: pc = rareAlu(op, pc); continue;
      //* k=SBB s=RR,RI,RM | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* k=SBB s=MR,MI | case OP_$k + $s + S8: case OP_$k + $s + S16: case OP_$k + $s + S32: case OP_$k + $s + S64: pc = rareAlu(op, pc); continue;
      //* k=AND,SUB,XOR,CMP s=RR,RI,RM,MR,MI | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* k=TEST s=RR,RI | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* k=TEST s=RM | case OP_$k + $s + S8: case OP_$k + $s + S16: case OP_$k + $s + S32: case OP_$k + $s + S64: pc = rareAlu(op, pc); continue;
      //* k=TEST s=MR,MI | case OP_$k + $s + S8: case OP_$k + $s + S16: pc = rareAlu(op, pc); continue; case OP_$k + $s + S32: pc = alu$s<i32>($k, pc); continue; case OP_$k + $s + S64: pc = alu$s<i64>($k, pc); continue;
      //* b=8,16 | case OP_ZX_R$b: pc = extendR<u$b, u32>(pc); continue;
      //* b=8,16 | case OP_ZX_M$b: pc = extendM<u$b, u32>(pc); continue;
      //* b=8,16 d=32,64 | case OP_SX_R$b_$d: pc = extendR<i$b, i$d>(pc); continue;
      //* b=8,16 d=32,64 | case OP_SX_M$b_$d: pc = extendM<i$b, i$d>(pc); continue;
      case OP_SX_R32_64: pc = extendR<i32, i64>(pc); continue;
      case OP_SX_M32_64: pc = extendM<i32, i64>(pc); continue;
      //* b=32,64 | case OP_SHL_I$b: putA<i$b>(pc, shl<i$b>(getA<i$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* b=32,64 | case OP_SHR_I$b: putA<u$b>(pc, shr<u$b>(getA<u$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* b=32,64 | case OP_SAR_I$b: putA<i$b>(pc, shr<i$b>(getA<i$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* c=0,1,2,3 | case OP_JCC + $c: if (condition($c)) break; pc += 32; continue;
      case OP_JCC + 4: if (zero()) break; pc += 32; continue;
      case OP_JCC + 5: if (!zero()) break; pc += 32; continue;
      //* c=6,7 | case OP_JCC + $c: if (condition($c)) break; pc += 32; continue;
      case OP_JCC + 8: if (sign()) break; pc += 32; continue;
      case OP_JCC + 9: if (!sign()) break; pc += 32; continue;
      //* c=10,11,12,13,14,15 | case OP_JCC + $c: if (condition($c)) break; pc += 32; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RR8 + GROUP_$g: if (cmpRR<i8>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RR32 + GROUP_$g: if (cmpRR<i32>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RR64 + GROUP_$g: if (cmpRR<i64>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RI8 + GROUP_$g: if (cmpRI<i8>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RI32 + GROUP_$g: if (cmpRI<i32>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RI64 + GROUP_$g: if (cmpRI<i64>($g, pc)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RM8 + GROUP_$g: t = loaded<i8>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpRM<i8>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RM32 + GROUP_$g: t = loaded<i32>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpRM<i32>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_RM64 + GROUP_$g: t = loaded<i64>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpRM<i64>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_MR32 + GROUP_$g: t = loaded<i32>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpMR<i32>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_MR64 + GROUP_$g: t = loaded<i64>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpMR<i64>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_MI8 + GROUP_$g: t = loaded<i8>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpMI<i8>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_MI32 + GROUP_$g: t = loaded<i32>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpMI<i32>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* g=E,B,BE,L,LE | case OP_CMP_JUMP + FUSED_MI64 + GROUP_$g: t = loaded<i64>(pc); if (!t) { pc = faulted(pc); continue; } if (cmpMI<i64>($g, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* s=RR,RI b=8,32,64 | case OP_TEST_JE_$s$b: if (test$s<i$b>(E, pc)) { pc += 32; break; } pc += 64; continue;
      //* b=8,32 | case OP_TEST_JE_MI$b: t = loaded<i$b>(pc); if (!t) { pc = faulted(pc); continue; } if (testMI<i$b>(E, pc, t)) { pc += 32; break; } pc += 64; continue;
      //* b=8,32,64 | case OP_TEST_JS_RR$b: if (testRR<i$b>(S, pc)) { pc += 32; break; } pc += 64; continue;
      //* b=32,64 | case OP_TEST_JLE_RR$b: if (testRR<i$b>(LE, pc)) { pc += 32; break; } pc += 64; continue;
      case OP_SETCC_R: putA<u8>(pc, <u8>condition(load<u32>(pc, UOP_IMM))); pc += 32; continue;
      case OP_CMOV_R32: putA<u32>(pc, condition(load<u32>(pc, UOP_IMM)) ? getB<u32>(pc) : getA<u32>(pc)); pc += 32; continue;
      case OP_CMOV_R64: if (condition(load<u32>(pc, UOP_IMM))) putA<u64>(pc, getB<u64>(pc)); pc += 32; continue;
      //* b=32,64 | case OP_CMOV_M$b: pc = cmovRM<u$b>(pc); continue;
      //* b=32,64 | case OP_IMUL_R$b: putA<i$b>(pc, imul<i$b>(getA<i$b>(pc), getB<i$b>(pc))); pc += 32; continue;
      //* b=32,64 | case OP_IMUL_M$b: pc = imulRM<i$b>(pc); continue;
      //* b=32,64 | case OP_IMUL_RI$b: putA<i$b>(pc, imul<i$b>(getB<i$b>(pc), getImmediate<i$b>(pc))); pc += 32; continue;
      //* k=INC,DEC,NEG,NOT b=32,64 | case OP_$k_R$b: unaryR<i$b>($k, pc); pc += 32; continue;
      //* b=32,64 | case OP_ROL_I$b: putA<u$b>(pc, rol<u$b>(getA<u$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* b=32,64 | case OP_ROR_I$b: putA<u$b>(pc, ror<u$b>(getA<u$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //+ pairs
      default: pc = op < OP_COLD ? rareAlu(op, pc) : cold(op, pc); continue;
    }
    pc = jump(pc);
  }
}

// @ts-ignore: decorator
@inline
function cmovRM<U>(pc: u32): u32 {
  const at = loaded<U>(pc);
  if (!at) return faulted(pc);
  // A 32-bit register's upper half goes either way.
  putA<U>(pc, condition(load<u32>(pc, UOP_IMM)) ? load<U>(at) : getA<U>(pc));
  return pc + 32;
}

// @ts-ignore: decorator
@inline
function imulRM<T>(pc: u32): u32 {
  const at = loaded<T>(pc);
  if (!at) return faulted(pc);
  putA<T>(pc, imul<T>(getA<T>(pc), load<T>(at)));
  return pc + 32;
}

/** An instruction across two pages. The second may be mapped elsewhere by now: IMM is the host page that was decoded. */
function crossing(pc: u32): u32 {
  const entry = fetchable(load<u64>(PAGE_BASE) + 4096);
  if (!entry) return faulted(pc);
  const second = load<u32>(entry, 12);
  let inner = load<u32>(pc, UOP_LINK);
  if (!inner || load<u32>(pc, UOP_IMM) != second) {
    const first = fetchable(load<u64>(PAGE_BASE));
    if (!first) return faulted(pc);
    inner = decodeCrossing(pc, load<u32>(first, 12), second);
  }
  return replace(pc, inner);
}

/** Families that have a function of their own. */
function cold(op: i32, pc: u32): u32 {
  const linear = address(pc);
  if (op >= OP_SYSTEM_FIRST) return systemOperation(op, pc, linear);
  if (op >= OP_SSE_FIRST)
    return (op >= OP_X87_FIRST ? x87(op, pc, linear) : sse(op, pc, linear)) ? pc + 32 : faulted(pc);
  if (op >= OP_TRANSFER && op < OP_TRANSFER_END) {
    const taken = transfer(op, pc, linear);
    if (taken == TRANSFER_FAULT) return faulted(pc);
    return taken == TRANSFER_NOT ? pc + 32 : jumpTo(pc, transferTarget);
  }
  const answer = integer(op, pc, linear);
  if (answer == COLD_NEXT) return pc + 32;
  return answer == COLD_PAUSE ? stopAt(pc) : faulted(pc);
}

/** A system micro-op may look at the clock, at RIP and at the budget. */
function systemOperation(op: i32, pc: u32, linear: u64): u32 {
  leaveTrace(pc);
  const answer = system(op, pc, linear);
  // RIP (and perhaps the mode) is new: SYSTEM_ENTER goes on there, anything else ends the run.
  if (answer == SYSTEM_ENTER) return continueAtRip();
  if (answer != SYSTEM_NEXT && answer != SYSTEM_FAULT) return exitBehind(answer);
  comeBack(pc);
  return answer == SYSTEM_NEXT ? pc + 32 : faulted(pc);
}
