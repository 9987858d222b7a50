// The run loop: one micro-op after the other. A case that is done sets `pc` to the next micro-op and `continue`s. One that
// `break`s leaves `pc` at the micro-op: plain where it has a fault or an exit on its way, marked by DIRECT or INDIRECT
// where it jumps.
import {
  BUDGET, CODE_BITS, CODE_GENERATION, EVENTS, EXIT_BUDGET, EXIT_REASON, EXIT_UNSUPPORTED, FAULT_VECTOR, PAGE_BASE, UOP_A,
  UOP_B, UOP_DISP, UOP_IMM, UOP_LINK, UOP_OP,
} from "../src/layout";
import {
  GROUP_B, GROUP_BE, GROUP_E, GROUP_L, GROUP_LE, GROUP_S, GROUP_TEST_LE, MI, MR, OP_ADC, OP_ADD, OP_AND, OP_CALL,
  OP_CALL_M, OP_CALL_R, OP_CMOV_M32, OP_CMOV_M64, OP_CMOV_R32, OP_CMOV_R64, OP_CMP, OP_CMP_JUMP, OP_COLD, OP_CROSS, OP_DEC_R32,
  OP_DEC_R64, OP_EA, OP_GOTO, OP_IMUL_M32, OP_IMUL_M64, OP_IMUL_R32, OP_IMUL_R64, OP_IMUL_RI32, OP_IMUL_RI64, OP_INC_R32,
  OP_INC_R64, OP_JCC, OP_JMP, OP_JMP_M, OP_JMP_R, OP_LEAVE, OP_LEA_16, OP_LEA_32, OP_LEA_64, OP_MOV, OP_MOV_LOAD_32,
  OP_MOV_LOAD_64, OP_MOV_STORE_32, OP_MOV_STORE_64, OP_NEG_R32, OP_NEG_R64, OP_NEXT_PAGE, OP_NOP, OP_NOT_R32, OP_NOT_R64, OP_OR,
  OP_POP_R, OP_PUSH_I, OP_PUSH_M, OP_PUSH_R, OP_RESYNC, OP_RET, OP_SAR_I32, OP_SAR_I64, OP_SBB, OP_SETCC_R, OP_SHL_I32,
  OP_SHL_I64, OP_SHR_I32, OP_SHR_I64, OP_STOP, OP_SUB, OP_SX_M16_32, OP_SX_M16_64, OP_SX_M32_64, OP_SX_M8_32, OP_SX_M8_64,
  OP_SX_R16_32, OP_SX_R16_64, OP_SX_R32_64, OP_SX_R8_32, OP_SX_R8_64, OP_TEST, OP_TEST_JUMP, OP_TRANSFER, OP_TRANSFER_END, OP_UD, OP_UNSUPPORTED,
  OP_XOR, OP_ZX_M16, OP_ZX_M8, OP_ZX_R16, OP_ZX_R8, RI, RM, RR, S16, S32, S64, S8,
} from "../src/ops/integer";
import { OP_SSE_FIRST, OP_SYSTEM_FIRST, OP_X87_FIRST } from "../src/ops/ranges";
import { fetchable } from "./access";
import { effectiveAddress } from "./address";
import { deliverFault } from "./exceptions";
import { exitAtInstruction, plainFault, VECTOR_EXIT, VECTOR_UD } from "./fault";
import { condition, sign, zero } from "./flags";
import { decodeCrossing } from "./host";
import { COLD_FAULT, COLD_NEXT, COLD_PAUSE, integer, smallAlu } from "./integer";
import {
  ADC, ADD, aluMI, aluMR, aluRI, aluRM, aluRR, AND, CMP, DEC, INC, NEG, NOT, OR, SBB, SUB, TEST, unaryR, XOR,
} from "./integer-alu";
import { B, BE, cmpMI, cmpMR, cmpRI, cmpRM, cmpRR, E, L, LE, NOT_TAKEN, S, testMI, testRI, testRR } from "./integer-compare";
import { extendM, extendR, leave, movMI, movMR, movRM, popR, push, RSP } from "./integer-move";
import { imul } from "./integer-multiply";
import { shl, shr } from "./integer-shift";
import { transfer, transferTarget, TRANSFER_FAULT, TRANSFER_NOT } from "./integer-transfer";
import { enter, enterAtRip, follow, linearBehind, linearOf, ordinal, setRip } from "./jumps";
import { address, getA, getB, getImmediate, plainAddress, put, putA } from "./operands";
import { sse } from "./sse";
import { system, SYSTEM_ENTER, SYSTEM_FAULT, SYSTEM_NEXT } from "./system";
import { readable } from "./tlb";
import { x87 } from "./x87";

/** Marks of a `pc` that jumps: to what `follow` says, or to `to`. */
const DIRECT: u32 = 1;
const INDIRECT: u32 = 2;

/**
 * Instructions that may still retire, plus the ordinal of the micro-op where the trace was entered: in front of a
 * micro-op the budget is `credit - ordinal(pc)`. Only jumps touch it.
 */
let credit: i32 = 0;

/** Ends a run at a linear address, `left` of the budget being left. */
function stop(linear: u64, left: i32, reason: u32): u32 {
  setRip(linear);
  store<i64>(BUDGET, <i64>left);
  store<u32>(EXIT_REASON, reason);
  return reason;
}

// @ts-ignore: decorator
@inline
function loaded<T>(pc: u32): u32 {
  return readable(address(pc), sizeof<T>());
}

/**
 * Runs from RIP on until the budget is used up or something is asked for. Answers EXIT_*. At most one trace more than
 * the budget may retire; BUDGET says exactly how many did. `first`: the micro-op to begin with, or 0.
 */
export function run(first: u32): u32 {
  credit = <i32>load<i64>(BUDGET);
  let pc = first ? first : enterAtRip();
  if (pc) credit += ordinal(pc);
  let to: u64 = 0;
  let t: u32 = 0;
  while (true) {
    if (pc) {
      const op = <i32>load<u16>(pc, UOP_OP);
      switch (op) {
        case OP_RESYNC: {
          credit -= ordinal(pc);
          pc = enter(linearOf(pc));
          if (!pc) break;
          credit += ordinal(pc);
          continue;
        }
        case OP_GOTO: {
          credit -= ordinal(pc);
          pc = follow(pc);
          if (!pc) break;
          if (credit < 0) return stop(linearOf(pc), credit, EXIT_BUDGET);
          credit += ordinal(pc);
          continue;
        }
        case OP_NEXT_PAGE: {
          credit -= ordinal(pc);
          pc = enter(load<u64>(PAGE_BASE) + load<u64>(pc, UOP_IMM));
          if (!pc) break;
          if (credit < 0) return stop(linearOf(pc), credit, EXIT_BUDGET);
          credit += ordinal(pc);
          continue;
        }
        case OP_CROSS: {
          // The second page may be mapped elsewhere by now: DISP is the host page that its bytes were decoded from.
          const entry = fetchable(load<u64>(PAGE_BASE) + 4096);
          if (!entry) break;
          const second = load<u32>(entry, 12);
          let inner = load<u32>(pc, UOP_LINK);
          if (!inner || load<u32>(pc, UOP_DISP) != second) {
            const first = fetchable(load<u64>(PAGE_BASE));
            if (!first) break;
            inner = decodeCrossing(pc, load<u32>(first, 12), second);
          }
          credit -= ordinal(pc);
          pc = inner;
          continue;
        }
        case OP_STOP: return stop(linearOf(pc), credit - ordinal(pc), EXIT_BUDGET);
        case OP_EA: putA<u64>(pc, effectiveAddress(pc, address(pc))); pc += 32; continue;
        case OP_UD: plainFault(VECTOR_UD); break;
        case OP_UNSUPPORTED: exitAtInstruction(EXIT_UNSUPPORTED); break;
        case OP_NOP: pc += 32; continue;
        case OP_JMP: pc |= DIRECT; break;
        case OP_JMP_R: to = getA<u64>(pc); pc |= INDIRECT; break;
        case OP_JMP_M: t = loaded<u64>(pc); if (!t) break; to = load<u64>(t); pc |= INDIRECT; break;
        case OP_CALL: if (push(linearBehind(pc))) pc |= DIRECT; break;
        case OP_CALL_R: to = getA<u64>(pc); if (push(linearBehind(pc))) pc |= INDIRECT; break;
        case OP_CALL_M: {
          t = loaded<u64>(pc);
          if (!t) break;
          to = load<u64>(t);
          if (push(linearBehind(pc))) pc |= INDIRECT;
          break;
        }
        case OP_RET: {
          const sp = load<u64>(RSP);
          t = readable(sp, 8);
          if (!t) break;
          to = load<u64>(t);
          store<u64>(RSP, sp + 8 + load<u32>(pc, UOP_IMM));
          pc |= INDIRECT;
          break;
        }
        case OP_PUSH_R: if (!push(getA<u64>(pc))) break; pc += 32; continue;
        case OP_PUSH_I: if (!push(getImmediate<u64>(pc))) break; pc += 32; continue;
        case OP_PUSH_M: t = loaded<u64>(pc); if (!t || !push(load<u64>(t))) break; pc += 32; continue;
        case OP_POP_R: if (!popR(pc)) break; pc += 32; continue;
        case OP_LEAVE: if (!leave()) break; pc += 32; continue;
        case OP_LEA_16: putA<u16>(pc, <u16>address(pc)); pc += 32; continue;
        case OP_LEA_32: putA<u32>(pc, <u32>address(pc)); pc += 32; continue;
        case OP_LEA_64: putA<u64>(pc, address(pc)); pc += 32; continue;
        case OP_MOV_LOAD_32: if (!movRM<u32>(pc, plainAddress(pc))) break; pc += 32; continue;
        case OP_MOV_LOAD_64: if (!movRM<u64>(pc, plainAddress(pc))) break; pc += 32; continue;
        case OP_MOV_STORE_32: if (!movMR<u32>(pc, plainAddress(pc))) break; pc += 32; continue;
        case OP_MOV_STORE_64: if (!movMR<u64>(pc, plainAddress(pc))) break; pc += 32; continue;
        case OP_MOV + RR + S8: putA<u8>(pc, getB<u8>(pc)); pc += 32; continue;
        case OP_MOV + RR + S16: putA<u16>(pc, getB<u16>(pc)); pc += 32; continue;
        case OP_MOV + RR + S32: putA<u32>(pc, getB<u32>(pc)); pc += 32; continue;
        case OP_MOV + RR + S64: putA<u64>(pc, getB<u64>(pc)); pc += 32; continue;
        case OP_MOV + RI + S8: putA<u8>(pc, getImmediate<u8>(pc)); pc += 32; continue;
        case OP_MOV + RI + S16: putA<u16>(pc, getImmediate<u16>(pc)); pc += 32; continue;
        case OP_MOV + RI + S64: putA<u64>(pc, getImmediate<u64>(pc)); pc += 32; continue;
        case OP_MOV + RM + S8: if (!movRM<u8>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + RM + S16: if (!movRM<u16>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + RM + S32: if (!movRM<u32>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + RM + S64: if (!movRM<u64>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + MR + S8: if (!movMR<u8>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + MR + S16: if (!movMR<u16>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + MR + S32: if (!movMR<u32>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + MR + S64: if (!movMR<u64>(pc, address(pc))) break; pc += 32; continue;
        case OP_MOV + MI + S8: if (!movMI<u8>(pc)) break; pc += 32; continue;
        case OP_MOV + MI + S16: if (!movMI<u16>(pc)) break; pc += 32; continue;
        case OP_MOV + MI + S32: if (!movMI<u32>(pc)) break; pc += 32; continue;
        case OP_MOV + MI + S64: if (!movMI<u64>(pc)) break; pc += 32; continue;
        case OP_ADD + RR + S32: aluRR<i32>(ADD, pc); pc += 32; continue;
        case OP_ADD + RR + S64: aluRR<i64>(ADD, pc); pc += 32; continue;
        case OP_ADD + RI + S32: aluRI<i32>(ADD, pc); pc += 32; continue;
        case OP_ADD + RI + S64: aluRI<i64>(ADD, pc); pc += 32; continue;
        case OP_ADD + RM + S32: if (!aluRM<i32>(ADD, pc)) break; pc += 32; continue;
        case OP_ADD + RM + S64: if (!aluRM<i64>(ADD, pc)) break; pc += 32; continue;
        case OP_ADD + MR + S32: if (!aluMR<i32>(ADD, pc)) break; pc += 32; continue;
        case OP_ADD + MR + S64: if (!aluMR<i64>(ADD, pc)) break; pc += 32; continue;
        case OP_ADD + MI + S32: if (!aluMI<i32>(ADD, pc)) break; pc += 32; continue;
        case OP_ADD + MI + S64: if (!aluMI<i64>(ADD, pc)) break; pc += 32; continue;
        case OP_OR + RR + S32: aluRR<i32>(OR, pc); pc += 32; continue;
        case OP_OR + RR + S64: aluRR<i64>(OR, pc); pc += 32; continue;
        case OP_OR + RI + S32: aluRI<i32>(OR, pc); pc += 32; continue;
        case OP_OR + RI + S64: aluRI<i64>(OR, pc); pc += 32; continue;
        case OP_OR + RM + S32: if (!aluRM<i32>(OR, pc)) break; pc += 32; continue;
        case OP_OR + RM + S64: if (!aluRM<i64>(OR, pc)) break; pc += 32; continue;
        case OP_OR + MR + S32: if (!aluMR<i32>(OR, pc)) break; pc += 32; continue;
        case OP_OR + MR + S64: if (!aluMR<i64>(OR, pc)) break; pc += 32; continue;
        case OP_OR + MI + S32: if (!aluMI<i32>(OR, pc)) break; pc += 32; continue;
        case OP_OR + MI + S64: if (!aluMI<i64>(OR, pc)) break; pc += 32; continue;
        case OP_ADC + RR + S32: aluRR<i32>(ADC, pc); pc += 32; continue;
        case OP_ADC + RR + S64: aluRR<i64>(ADC, pc); pc += 32; continue;
        case OP_ADC + RI + S32: aluRI<i32>(ADC, pc); pc += 32; continue;
        case OP_ADC + RI + S64: aluRI<i64>(ADC, pc); pc += 32; continue;
        case OP_ADC + RM + S32: if (!aluRM<i32>(ADC, pc)) break; pc += 32; continue;
        case OP_ADC + RM + S64: if (!aluRM<i64>(ADC, pc)) break; pc += 32; continue;
        case OP_SBB + RR + S32: aluRR<i32>(SBB, pc); pc += 32; continue;
        case OP_SBB + RR + S64: aluRR<i64>(SBB, pc); pc += 32; continue;
        case OP_SBB + RI + S32: aluRI<i32>(SBB, pc); pc += 32; continue;
        case OP_SBB + RI + S64: aluRI<i64>(SBB, pc); pc += 32; continue;
        case OP_SBB + RM + S32: if (!aluRM<i32>(SBB, pc)) break; pc += 32; continue;
        case OP_SBB + RM + S64: if (!aluRM<i64>(SBB, pc)) break; pc += 32; continue;
        case OP_AND + RR + S32: aluRR<i32>(AND, pc); pc += 32; continue;
        case OP_AND + RR + S64: aluRR<i64>(AND, pc); pc += 32; continue;
        case OP_AND + RI + S32: aluRI<i32>(AND, pc); pc += 32; continue;
        case OP_AND + RI + S64: aluRI<i64>(AND, pc); pc += 32; continue;
        case OP_AND + RM + S32: if (!aluRM<i32>(AND, pc)) break; pc += 32; continue;
        case OP_AND + RM + S64: if (!aluRM<i64>(AND, pc)) break; pc += 32; continue;
        case OP_AND + MR + S32: if (!aluMR<i32>(AND, pc)) break; pc += 32; continue;
        case OP_AND + MR + S64: if (!aluMR<i64>(AND, pc)) break; pc += 32; continue;
        case OP_AND + MI + S32: if (!aluMI<i32>(AND, pc)) break; pc += 32; continue;
        case OP_AND + MI + S64: if (!aluMI<i64>(AND, pc)) break; pc += 32; continue;
        case OP_SUB + RR + S32: aluRR<i32>(SUB, pc); pc += 32; continue;
        case OP_SUB + RR + S64: aluRR<i64>(SUB, pc); pc += 32; continue;
        case OP_SUB + RI + S32: aluRI<i32>(SUB, pc); pc += 32; continue;
        case OP_SUB + RI + S64: aluRI<i64>(SUB, pc); pc += 32; continue;
        case OP_SUB + RM + S32: if (!aluRM<i32>(SUB, pc)) break; pc += 32; continue;
        case OP_SUB + RM + S64: if (!aluRM<i64>(SUB, pc)) break; pc += 32; continue;
        case OP_SUB + MR + S32: if (!aluMR<i32>(SUB, pc)) break; pc += 32; continue;
        case OP_SUB + MR + S64: if (!aluMR<i64>(SUB, pc)) break; pc += 32; continue;
        case OP_SUB + MI + S32: if (!aluMI<i32>(SUB, pc)) break; pc += 32; continue;
        case OP_SUB + MI + S64: if (!aluMI<i64>(SUB, pc)) break; pc += 32; continue;
        case OP_XOR + RR + S32: aluRR<i32>(XOR, pc); pc += 32; continue;
        case OP_XOR + RR + S64: aluRR<i64>(XOR, pc); pc += 32; continue;
        case OP_XOR + RI + S32: aluRI<i32>(XOR, pc); pc += 32; continue;
        case OP_XOR + RI + S64: aluRI<i64>(XOR, pc); pc += 32; continue;
        case OP_XOR + RM + S32: if (!aluRM<i32>(XOR, pc)) break; pc += 32; continue;
        case OP_XOR + RM + S64: if (!aluRM<i64>(XOR, pc)) break; pc += 32; continue;
        case OP_XOR + MR + S32: if (!aluMR<i32>(XOR, pc)) break; pc += 32; continue;
        case OP_XOR + MR + S64: if (!aluMR<i64>(XOR, pc)) break; pc += 32; continue;
        case OP_XOR + MI + S32: if (!aluMI<i32>(XOR, pc)) break; pc += 32; continue;
        case OP_XOR + MI + S64: if (!aluMI<i64>(XOR, pc)) break; pc += 32; continue;
        case OP_CMP + RR + S32: aluRR<i32>(CMP, pc); pc += 32; continue;
        case OP_CMP + RR + S64: aluRR<i64>(CMP, pc); pc += 32; continue;
        case OP_CMP + RI + S32: aluRI<i32>(CMP, pc); pc += 32; continue;
        case OP_CMP + RI + S64: aluRI<i64>(CMP, pc); pc += 32; continue;
        case OP_CMP + RM + S32: if (!aluRM<i32>(CMP, pc)) break; pc += 32; continue;
        case OP_CMP + RM + S64: if (!aluRM<i64>(CMP, pc)) break; pc += 32; continue;
        case OP_CMP + MR + S32: if (!aluMR<i32>(CMP, pc)) break; pc += 32; continue;
        case OP_CMP + MR + S64: if (!aluMR<i64>(CMP, pc)) break; pc += 32; continue;
        case OP_CMP + MI + S32: if (!aluMI<i32>(CMP, pc)) break; pc += 32; continue;
        case OP_CMP + MI + S64: if (!aluMI<i64>(CMP, pc)) break; pc += 32; continue;
        case OP_TEST + RR + S32: aluRR<i32>(TEST, pc); pc += 32; continue;
        case OP_TEST + RR + S64: aluRR<i64>(TEST, pc); pc += 32; continue;
        case OP_TEST + RI + S32: aluRI<i32>(TEST, pc); pc += 32; continue;
        case OP_TEST + RI + S64: aluRI<i64>(TEST, pc); pc += 32; continue;
        case OP_TEST + MR + S32: if (!aluMR<i32>(TEST, pc)) break; pc += 32; continue;
        case OP_TEST + MR + S64: if (!aluMR<i64>(TEST, pc)) break; pc += 32; continue;
        case OP_TEST + MI + S32: if (!aluMI<i32>(TEST, pc)) break; pc += 32; continue;
        case OP_TEST + MI + S64: if (!aluMI<i64>(TEST, pc)) break; pc += 32; continue;
        case OP_ZX_R8: extendR<u8, u32>(pc); pc += 32; continue;
        case OP_ZX_R16: extendR<u16, u32>(pc); pc += 32; continue;
        case OP_ZX_M8: if (!extendM<u8, u32>(pc)) break; pc += 32; continue;
        case OP_ZX_M16: if (!extendM<u16, u32>(pc)) break; pc += 32; continue;
        case OP_SX_R8_32: extendR<i8, i32>(pc); pc += 32; continue;
        case OP_SX_R8_64: extendR<i8, i64>(pc); pc += 32; continue;
        case OP_SX_R16_32: extendR<i16, i32>(pc); pc += 32; continue;
        case OP_SX_R16_64: extendR<i16, i64>(pc); pc += 32; continue;
        case OP_SX_R32_64: extendR<i32, i64>(pc); pc += 32; continue;
        case OP_SX_M8_32: if (!extendM<i8, i32>(pc)) break; pc += 32; continue;
        case OP_SX_M8_64: if (!extendM<i8, i64>(pc)) break; pc += 32; continue;
        case OP_SX_M16_32: if (!extendM<i16, i32>(pc)) break; pc += 32; continue;
        case OP_SX_M16_64: if (!extendM<i16, i64>(pc)) break; pc += 32; continue;
        case OP_SX_M32_64: if (!extendM<i32, i64>(pc)) break; pc += 32; continue;
        case OP_SHL_I32: putA<i32>(pc, shl<i32>(getA<i32>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_SHL_I64: putA<i64>(pc, shl<i64>(getA<i64>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_SHR_I32: putA<u32>(pc, shr<u32>(getA<u32>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_SHR_I64: putA<u64>(pc, shr<u64>(getA<u64>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_SAR_I32: putA<i32>(pc, shr<i32>(getA<i32>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_SAR_I64: putA<i64>(pc, shr<i64>(getA<i64>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_JCC + 0: if (condition(0)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 1: if (condition(1)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 2: if (condition(2)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 3: if (condition(3)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 4: if (zero()) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 5: if (!zero()) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 6: if (condition(6)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 7: if (condition(7)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 8: if (sign()) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 9: if (!sign()) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 10: if (condition(10)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 11: if (condition(11)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 12: if (condition(12)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 13: if (condition(13)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 14: if (condition(14)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_JCC + 15: if (condition(15)) { pc |= DIRECT; break; } pc += 32; continue;
        case OP_CMP_JUMP + GROUP_E + RR + S32: t = cmpRR<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RR + S64: t = cmpRR<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RI + S8: t = cmpRI<i8>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RI + S32: t = cmpRI<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RI + S64: t = cmpRI<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RM + S32: t = cmpRM<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + RM + S64: t = cmpRM<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + MR + S32: t = cmpMR<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + MR + S64: t = cmpMR<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + MI + S8: t = cmpMI<i8>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + MI + S32: t = cmpMI<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_E + MI + S64: t = cmpMI<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RR + S32: t = cmpRR<i32>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RR + S64: t = cmpRR<i64>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RI + S8: t = cmpRI<i8>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RI + S32: t = cmpRI<i32>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RI + S64: t = cmpRI<i64>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RM + S32: t = cmpRM<i32>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + RM + S64: t = cmpRM<i64>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + MR + S32: t = cmpMR<i32>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + MR + S64: t = cmpMR<i64>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + MI + S8: t = cmpMI<i8>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + MI + S32: t = cmpMI<i32>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_B + MI + S64: t = cmpMI<i64>(B, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RR + S32: t = cmpRR<i32>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RR + S64: t = cmpRR<i64>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RI + S8: t = cmpRI<i8>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RI + S32: t = cmpRI<i32>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RI + S64: t = cmpRI<i64>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RM + S32: t = cmpRM<i32>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + RM + S64: t = cmpRM<i64>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + MR + S32: t = cmpMR<i32>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + MR + S64: t = cmpMR<i64>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + MI + S8: t = cmpMI<i8>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + MI + S32: t = cmpMI<i32>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_BE + MI + S64: t = cmpMI<i64>(BE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RR + S32: t = cmpRR<i32>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RR + S64: t = cmpRR<i64>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RI + S8: t = cmpRI<i8>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RI + S32: t = cmpRI<i32>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RI + S64: t = cmpRI<i64>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RM + S32: t = cmpRM<i32>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + RM + S64: t = cmpRM<i64>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + MR + S32: t = cmpMR<i32>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + MR + S64: t = cmpMR<i64>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + MI + S8: t = cmpMI<i8>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + MI + S32: t = cmpMI<i32>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_L + MI + S64: t = cmpMI<i64>(L, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RR + S32: t = cmpRR<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RR + S64: t = cmpRR<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RI + S8: t = cmpRI<i8>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RI + S32: t = cmpRI<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RI + S64: t = cmpRI<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RM + S32: t = cmpRM<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + RM + S64: t = cmpRM<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + MR + S32: t = cmpMR<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + MR + S64: t = cmpMR<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + MI + S8: t = cmpMI<i8>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + MI + S32: t = cmpMI<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_CMP_JUMP + GROUP_LE + MI + S64: t = cmpMI<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RR + S8: t = testRR<i8>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RR + S32: t = testRR<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RR + S64: t = testRR<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RI + S8: t = testRI<i8>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RI + S32: t = testRI<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + RI + S64: t = testRI<i64>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + MI + S8: t = testMI<i8>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_E + MI + S32: t = testMI<i32>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_S + RR + S8: t = testRR<i8>(S, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_S + RR + S32: t = testRR<i32>(S, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_S + RR + S64: t = testRR<i64>(S, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_TEST_LE + RR + S32: t = testRR<i32>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_TEST_JUMP + GROUP_TEST_LE + RR + S64: t = testRR<i64>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
        case OP_SETCC_R: putA<u8>(pc, <u8>condition(load<u32>(pc, UOP_IMM))); pc += 32; continue;
        case OP_CMOV_R32: putA<u32>(pc, condition(load<u32>(pc, UOP_IMM)) ? getB<u32>(pc) : getA<u32>(pc)); pc += 32; continue;
        case OP_CMOV_R64: if (condition(load<u32>(pc, UOP_IMM))) putA<u64>(pc, getB<u64>(pc)); pc += 32; continue;
        case OP_CMOV_M32: {
          t = loaded<u32>(pc);
          if (!t) break;
          putA<u32>(pc, condition(load<u32>(pc, UOP_IMM)) ? load<u32>(t) : getA<u32>(pc));
          pc += 32;
          continue;
        }
        case OP_CMOV_M64: {
          t = loaded<u64>(pc);
          if (!t) break;
          if (condition(load<u32>(pc, UOP_IMM))) putA<u64>(pc, load<u64>(t));
          pc += 32;
          continue;
        }
        case OP_IMUL_R32: putA<i32>(pc, imul<i32>(getA<i32>(pc), getB<i32>(pc))); pc += 32; continue;
        case OP_IMUL_R64: putA<i64>(pc, imul<i64>(getA<i64>(pc), getB<i64>(pc))); pc += 32; continue;
        case OP_IMUL_M32: t = loaded<i32>(pc); if (!t) break; putA<i32>(pc, imul<i32>(getA<i32>(pc), load<i32>(t))); pc += 32; continue;
        case OP_IMUL_M64: t = loaded<i64>(pc); if (!t) break; putA<i64>(pc, imul<i64>(getA<i64>(pc), load<i64>(t))); pc += 32; continue;
        case OP_IMUL_RI32: putA<i32>(pc, imul<i32>(getB<i32>(pc), getImmediate<i32>(pc))); pc += 32; continue;
        case OP_IMUL_RI64: putA<i64>(pc, imul<i64>(getB<i64>(pc), getImmediate<i64>(pc))); pc += 32; continue;
        case OP_INC_R32: unaryR<i32>(INC, pc); pc += 32; continue;
        case OP_INC_R64: unaryR<i64>(INC, pc); pc += 32; continue;
        case OP_DEC_R32: unaryR<i32>(DEC, pc); pc += 32; continue;
        case OP_DEC_R64: unaryR<i64>(DEC, pc); pc += 32; continue;
        case OP_NEG_R32: unaryR<i32>(NEG, pc); pc += 32; continue;
        case OP_NEG_R64: unaryR<i64>(NEG, pc); pc += 32; continue;
        case OP_NOT_R32: unaryR<i32>(NOT, pc); pc += 32; continue;
        case OP_NOT_R64: unaryR<i64>(NOT, pc); pc += 32; continue;
        default: {
          if (op >= OP_SYSTEM_FIRST) {
            // A system micro-op may look at the clock, at RIP and at the budget.
            credit -= ordinal(pc);
            store<i64>(BUDGET, <i64>credit);
            const answer = system(op, pc, address(pc));
            credit += ordinal(pc);
            if (answer == SYSTEM_NEXT) {
              pc += 32;
              continue;
            }
            if (answer == SYSTEM_FAULT) break;
            // RIP (and perhaps the mode) is new: SYSTEM_ENTER goes on there, anything else ends the run.
            credit -= ordinal(pc) + 1;
            store<i64>(BUDGET, <i64>credit);
            if (answer != SYSTEM_ENTER) {
              store<u32>(EXIT_REASON, answer);
              return answer;
            }
            if (credit < 0) {
              store<u32>(EXIT_REASON, EXIT_BUDGET);
              return EXIT_BUDGET;
            }
            pc = enterAtRip();
            if (!pc) break;
            credit += ordinal(pc);
            continue;
          }
          if (op >= OP_SSE_FIRST) {
            if (op >= OP_X87_FIRST ? x87(op, pc, address(pc)) : sse(op, pc, address(pc))) {
              pc += 32;
              continue;
            }
            break;
          }
          if (op >= OP_TRANSFER && op < OP_TRANSFER_END) {
            t = transfer(op, pc, address(pc));
            if (t == TRANSFER_FAULT) break;
            if (t == TRANSFER_NOT) {
              pc += 32;
              continue;
            }
            to = transferTarget;
            pc |= INDIRECT;
            break;
          }
          t = op < OP_COLD ? u32(smallAlu(op, pc)) : integer(op, pc, address(pc));
          if (t == COLD_NEXT) {
            pc += 32;
            continue;
          }
          if (t == COLD_PAUSE) return stop(linearOf(pc), credit - ordinal(pc), EXIT_BUDGET);
          break;
        }
      }
      if (pc & (DIRECT | INDIRECT)) {
        const jump = pc & ~(DIRECT | INDIRECT);
        credit -= ordinal(jump) + 1;
        pc = pc & DIRECT ? follow(jump) : enter(to);
        if (pc) {
          if (credit < 0) return stop(linearOf(pc), credit, EXIT_BUDGET);
          credit += ordinal(pc);
          continue;
        }
      }
    }
    // A fault, or an exit in the middle of an instruction: it hasn't retired. Without a micro-op RIP is set already.
    if (pc) {
      credit -= ordinal(pc);
      setRip(linearOf(pc));
    }
    store<i64>(BUDGET, <i64>credit);
    if (load<u32>(FAULT_VECTOR) == VECTOR_EXIT) return load<u32>(EXIT_REASON);
    const refused = deliverFault();
    if (refused) {
      store<u32>(EXIT_REASON, refused);
      return refused;
    }
    credit -= 1;
    store<u64>(EVENTS, load<u64>(EVENTS) + 1);
    if (credit < 0) {
      store<i64>(BUDGET, <i64>credit);
      store<u32>(EXIT_REASON, EXIT_BUDGET);
      return EXIT_BUDGET;
    }
    pc = enterAtRip();
    if (pc) credit += ordinal(pc);
  }
}
