// The run loop: one micro-op after the other. A case that is done sets `pc` to the next micro-op and `continue`s. One that
// `break`s leaves `pc` at the micro-op: plain where it has a fault or an exit on its way, marked by DIRECT or INDIRECT
// where it jumps. Lines behind `//*` stand for as many cases as their lists have combinations: build.mjs writes them out.
import {
  BUDGET, EVENTS, EXIT_BUDGET, EXIT_REASON, EXIT_UNSUPPORTED, FAULT_VECTOR, PAGE_BASE, UOP_A,
  UOP_BASE, UOP_DISP, UOP_IMM, UOP_LINK, UOP_OP,
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
import { exitAtInstruction, fault, plainFault, VECTOR_EXIT, VECTOR_GP, VECTOR_SS, VECTOR_UD } from "./fault";
import { condition, sign, zero } from "./flags";
import { decodeCrossing } from "./host";
import { COLD_FAULT, COLD_NEXT, COLD_PAUSE, integer, rareAlu } from "./integer";
import {
  ADC, ADD, aluMI, aluMR, aluRI, aluRM, aluRR, AND, CMP, DEC, INC, NEG, NOT, OR, SBB, SUB, TEST, unaryR, XOR,
} from "./integer-alu";
import { B, BE, cmpMI, cmpMR, cmpRI, cmpRM, cmpRR, E, L, LE, NOT_TAKEN, S, testMI, testRI, testRR } from "./integer-compare";
import { extendM, extendR, leave, movMI, movMR, movRM, popR, push, RBP, RSP } from "./integer-move";
import { imul } from "./integer-multiply";
import { shl, shr } from "./integer-shift";
import { transfer, transferTarget, TRANSFER_FAULT, TRANSFER_NOT } from "./integer-transfer";
import { enter, enterAtRip, follow, linearBehind, linearOf, ordinal, setRip } from "./jumps";
import { address, getA, getB, getImmediate, plainAddress, put, putA } from "./operands";
import { isCanonical, takeWildAddress } from "./paging";
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

/**
 * A fault, or an exit in the middle of an instruction: the one at `pc` hasn't retired. 0: of an instruction that couldn't be
 * fetched, RIP being set. Answers where to go on, or 0 where the run ends with EXIT_REASON.
 */
function faulted(pc: u32): u32 {
  while (true) {
    if (pc) {
      credit -= ordinal(pc);
      setRip(linearOf(pc));
    }
    store<i64>(BUDGET, <i64>credit);
    if (load<u32>(FAULT_VECTOR) == VECTOR_EXIT) return 0;
    if (pc && takeWildAddress() && load<u32>(FAULT_VECTOR) == VECTOR_GP && usesStack(pc)) fault(VECTOR_SS, 0);
    const refused = deliverFault();
    store<u32>(EXIT_REASON, refused);
    if (refused) return 0;
    credit -= 1;
    store<i64>(BUDGET, <i64>credit);
    store<u64>(EVENTS, load<u64>(EVENTS) + 1);
    if (credit < 0) return 0;
    pc = enterAtRip();
    if (pc) {
      credit += ordinal(pc);
      return pc;
    }
  }
}

/** Whether an address that isn't canonical was one of the stack segment: by its base, or a stack operation's own. */
function usesStack(pc: u32): bool {
  const base: u32 = load<u16>(pc, UOP_BASE);
  const op = load<u16>(pc, UOP_OP);
  return base == RSP || base == RBP || ((op == OP_PUSH_M || op == OP_CALL_M) && isCanonical(address(pc)));
}

/** A near transfer's target in 64-bit code: one that isn't canonical is #GP at the transfer. */
// @ts-ignore: decorator
@inline
function mayGoTo(linear: u64): bool {
  return isCanonical(linear) ? true : fault(VECTOR_GP, 0);
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
  else {
    pc = faulted(0);
    if (!pc) return load<u32>(EXIT_REASON);
  }
  let to: u64 = 0;
  let t: u32 = 0;
  while (true) {
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
      case OP_JMP_R: to = getA<u64>(pc); if (mayGoTo(to)) pc |= INDIRECT; break;
      case OP_JMP_M: t = loaded<u64>(pc); if (!t) break; to = load<u64>(t); if (mayGoTo(to)) pc |= INDIRECT; break;
      case OP_CALL: if (push(linearBehind(pc))) pc |= DIRECT; break;
      case OP_CALL_R: to = getA<u64>(pc); if (mayGoTo(to) && push(linearBehind(pc))) pc |= INDIRECT; break;
      case OP_CALL_M: {
        t = loaded<u64>(pc);
        if (!t) break;
        to = load<u64>(t);
        if (mayGoTo(to) && push(linearBehind(pc))) pc |= INDIRECT;
        break;
      }
      case OP_RET: {
        const sp = load<u64>(RSP);
        t = readable(sp, 8);
        if (!t) break;
        to = load<u64>(t);
        if (!mayGoTo(to)) break;
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
      //* b=8,16,32,64 | case OP_MOV + RR + S$b: putA<u$b>(pc, getB<u$b>(pc)); pc += 32; continue;
      //* b=8,16,64 | case OP_MOV + RI + S$b: putA<u$b>(pc, getImmediate<u$b>(pc)); pc += 32; continue;
      //* b=8,16,32,64 | case OP_MOV + RM + S$b: if (!movRM<u$b>(pc, address(pc))) break; pc += 32; continue;
      //* b=8,16,32,64 | case OP_MOV + MR + S$b: if (!movMR<u$b>(pc, address(pc))) break; pc += 32; continue;
      //* b=8,16,32,64 | case OP_MOV + MI + S$b: if (!movMI<u$b>(pc)) break; pc += 32; continue;
      //* k=ADD,OR,ADC,SBB,AND,SUB,XOR,CMP,TEST s=RR,RI b=32,64 | case OP_$k + $s + S$b: alu$s<i$b>($k, pc); pc += 32; continue;
      //* k=ADD,OR,ADC,SBB,AND,SUB,XOR,CMP b=32,64 | case OP_$k + RM + S$b: if (!aluRM<i$b>($k, pc)) break; pc += 32; continue;
      //* k=ADD,OR,AND,SUB,XOR,CMP,TEST s=MR,MI b=32,64 | case OP_$k + $s + S$b: if (!alu$s<i$b>($k, pc)) break; pc += 32; continue;
      //* b=8,16 | case OP_ZX_R$b: extendR<u$b, u32>(pc); pc += 32; continue;
      //* b=8,16 | case OP_ZX_M$b: if (!extendM<u$b, u32>(pc)) break; pc += 32; continue;
      //* b=8,16 d=32,64 | case OP_SX_R$b_$d: extendR<i$b, i$d>(pc); pc += 32; continue;
      //* b=8,16 d=32,64 | case OP_SX_M$b_$d: if (!extendM<i$b, i$d>(pc)) break; pc += 32; continue;
      case OP_SX_R32_64: extendR<i32, i64>(pc); pc += 32; continue;
      case OP_SX_M32_64: if (!extendM<i32, i64>(pc)) break; pc += 32; continue;
      //* b=32,64 | case OP_SHL_I$b: putA<i$b>(pc, shl<i$b>(getA<i$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* b=32,64 | case OP_SHR_I$b: putA<u$b>(pc, shr<u$b>(getA<u$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* b=32,64 | case OP_SAR_I$b: putA<i$b>(pc, shr<i$b>(getA<i$b>(pc), load<u32>(pc, UOP_IMM))); pc += 32; continue;
      //* c=0,1,2,3,6,7,10,11,12,13,14,15 | case OP_JCC + $c: if (condition($c)) { pc |= DIRECT; break; } pc += 32; continue;
      case OP_JCC + 4: if (zero()) { pc |= DIRECT; break; } pc += 32; continue;
      case OP_JCC + 5: if (!zero()) { pc |= DIRECT; break; } pc += 32; continue;
      case OP_JCC + 8: if (sign()) { pc |= DIRECT; break; } pc += 32; continue;
      case OP_JCC + 9: if (!sign()) { pc |= DIRECT; break; } pc += 32; continue;
      //* g=E,B,BE,L,LE s=RR,RI,RM,MR,MI b=32,64 | case OP_CMP_JUMP + GROUP_$g + $s + S$b: t = cmp$s<i$b>($g, pc); pc += t; if (t == NOT_TAKEN) continue; break;
      //* g=E,B,BE,L,LE s=RI,MI | case OP_CMP_JUMP + GROUP_$g + $s + S8: t = cmp$s<i8>($g, pc); pc += t; if (t == NOT_TAKEN) continue; break;
      //* s=RR,RI b=8,32,64 | case OP_TEST_JUMP + GROUP_E + $s + S$b: t = test$s<i$b>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
      //* b=8,32 | case OP_TEST_JUMP + GROUP_E + MI + S$b: t = testMI<i$b>(E, pc); pc += t; if (t == NOT_TAKEN) continue; break;
      //* b=8,32,64 | case OP_TEST_JUMP + GROUP_S + RR + S$b: t = testRR<i$b>(S, pc); pc += t; if (t == NOT_TAKEN) continue; break;
      //* b=32,64 | case OP_TEST_JUMP + GROUP_TEST_LE + RR + S$b: t = testRR<i$b>(LE, pc); pc += t; if (t == NOT_TAKEN) continue; break;
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
      //* b=32,64 | case OP_IMUL_R$b: putA<i$b>(pc, imul<i$b>(getA<i$b>(pc), getB<i$b>(pc))); pc += 32; continue;
      //* b=32,64 | case OP_IMUL_M$b: t = loaded<i$b>(pc); if (!t) break; putA<i$b>(pc, imul<i$b>(getA<i$b>(pc), load<i$b>(t))); pc += 32; continue;
      //* b=32,64 | case OP_IMUL_RI$b: putA<i$b>(pc, imul<i$b>(getB<i$b>(pc), getImmediate<i$b>(pc))); pc += 32; continue;
      //* k=INC,DEC,NEG,NOT b=32,64 | case OP_$k_R$b: unaryR<i$b>($k, pc); pc += 32; continue;
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
        t = op < OP_COLD ? u32(rareAlu(op, pc)) : integer(op, pc, address(pc));
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
    pc = faulted(pc);
    if (!pc) return load<u32>(EXIT_REASON);
  }
}
