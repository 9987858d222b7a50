/**
 * Integer and control-flow micro-ops. Families of shapes and sizes are ranges: OP_ADD + RM + S32 is ADD r32, m32.
 * Those below OP_COLD are cases of the run loop (core.ts), those from OP_COLD on of a function (integer.ts).
 */

// Sizes: log2 of bytes.
export const S8 = 0;
export const S16 = 1;
export const S32 = 2;
export const S64 = 3;

// Shapes of two operands, destination first: R register, I immediate, M memory.
export const RR = 0;
export const RI = 4;
export const RM = 8;
export const MR = 12;
export const MI = 16;

/** The page's code has changed, or nothing was decoded yet: look this instruction up again. Also what cleared memory holds. */
export const OP_RESYNC = 0;
/** Goes on at the micro-op LINK of the same page. */
export const OP_GOTO = 1;
/** The trace ends at the page's end: goes on at PAGE_BASE + IMM. */
export const OP_NEXT_PAGE = 2;
/** The instruction crosses the page's end: checked and decoded by its own rules. */
export const OP_CROSS = 3;
/** Not an instruction (#UD). */
export const OP_UD = 4;
/** The decoder knows it, the engine can't do it. */
export const OP_UNSUPPORTED = 5;
/** Ends a run after an exact number of instructions. */
export const OP_STOP = 6;
/** TMP_EA = address with segment base, address size and wrap: see assembly/address.ts. */
export const OP_EA = 7;
export const OP_NOP = 8;

// Near transfers and stack operations of 64-bit mode. Direct ones go to PAGE_BASE + IMM.
export const OP_JMP = 9;
export const OP_JMP_R = 10;
export const OP_JMP_M = 11;
export const OP_CALL = 12;
export const OP_CALL_R = 13;
export const OP_CALL_M = 14;
/** IMM: bytes of arguments that are dropped. */
export const OP_RET = 15;
export const OP_PUSH_R = 16;
export const OP_PUSH_I = 17;
export const OP_PUSH_M = 18;
export const OP_POP_R = 19;
export const OP_LEAVE = 20;
export const OP_LEA_16 = 21;
export const OP_LEA_32 = 22;
export const OP_LEA_64 = 23;
/** Without an index. */
export const OP_MOV_LOAD_32 = 24;
export const OP_MOV_LOAD_64 = 25;
export const OP_MOV_STORE_32 = 26;
export const OP_MOV_STORE_64 = 27;
/** A = base + (index << scale) + disp, for a micro-op behind that takes a base only: see `takesIndex`. */
export const OP_INDEX = 28;
/** Ends the run: EXIT_REASON and everything else is set. Only jumps.ts goes there. */
export const OP_EXIT = 29;

/** Shapes and sizes. A 32-bit register and immediate: OP_MOV + RI + S64. */
export const OP_MOV = 30;

// In the order of the encoding, 20 numbers each.
export const OP_ADD = 50;
export const OP_OR = 70;
export const OP_ADC = 90;
export const OP_SBB = 110;
export const OP_AND = 130;
export const OP_SUB = 150;
export const OP_XOR = 170;
export const OP_CMP = 190;
export const OP_TEST = 210;

// MOVZX to 32 bits (and thereby to 64) and MOVSX; the numbers are bits of source and destination.
export const OP_ZX_R8 = 230;
export const OP_ZX_R16 = 231;
export const OP_ZX_M8 = 232;
export const OP_ZX_M16 = 233;
export const OP_SX_R8_32 = 234;
export const OP_SX_R8_64 = 235;
export const OP_SX_R16_32 = 236;
export const OP_SX_R16_64 = 237;
export const OP_SX_R32_64 = 238;
export const OP_SX_M8_32 = 239;
export const OP_SX_M8_64 = 240;
export const OP_SX_M16_32 = 241;
export const OP_SX_M16_64 = 242;
export const OP_SX_M32_64 = 243;

/** Shifts of a 32- or 64-bit register by IMM, which is at least 1 and below the size. */
export const OP_SHL_I32 = 244;
export const OP_SHL_I64 = 245;
export const OP_SHR_I32 = 246;
export const OP_SHR_I64 = 247;
export const OP_SAR_I32 = 248;
export const OP_SAR_I64 = 249;

/** Plus the condition's number; A of the micro-op is the number too. */
export const OP_JCC = 250;

/**
 * A comparison and the conditional jump behind it, whose micro-op stays where it is: this one does both. Plus FUSED_*,
 * plus the condition's group. A jump's condition is its group's, negated where its number is odd.
 */
export const OP_CMP_JUMP = 266;
export const FUSED_RR8 = 0;
export const FUSED_RR32 = 5;
export const FUSED_RR64 = 10;
export const FUSED_RI8 = 15;
export const FUSED_RI32 = 20;
export const FUSED_RI64 = 25;
export const FUSED_RM8 = 30;
export const FUSED_RM32 = 35;
export const FUSED_RM64 = 40;
export const FUSED_MR32 = 45;
export const FUSED_MR64 = 50;
export const FUSED_MI8 = 55;
export const FUSED_MI32 = 60;
export const FUSED_MI64 = 65;
export const GROUP_E = 0;
export const GROUP_B = 1;
export const GROUP_BE = 2;
export const GROUP_L = 3;
export const GROUP_LE = 4;

/** The same behind TEST, of which fewer forms and conditions are frequent. */
export const OP_TEST_JE_RR8 = 336;
export const OP_TEST_JE_RR32 = 337;
export const OP_TEST_JE_RR64 = 338;
export const OP_TEST_JE_RI8 = 339;
export const OP_TEST_JE_RI32 = 340;
export const OP_TEST_JE_RI64 = 341;
export const OP_TEST_JE_MI8 = 342;
export const OP_TEST_JE_MI32 = 343;
export const OP_TEST_JS_RR8 = 344;
export const OP_TEST_JS_RR32 = 345;
export const OP_TEST_JS_RR64 = 346;
export const OP_TEST_JLE_RR32 = 347;
export const OP_TEST_JLE_RR64 = 348;

/** A: destination, B: source or ZERO, IMM: the condition. */
export const OP_SETCC_R = 349;
export const OP_CMOV_R32 = 350;
export const OP_CMOV_R64 = 351;
export const OP_CMOV_M32 = 352;
export const OP_CMOV_M64 = 353;

/** Two operands, and three of which IMM is one. */
export const OP_IMUL_R32 = 354;
export const OP_IMUL_R64 = 355;
export const OP_IMUL_M32 = 356;
export const OP_IMUL_M64 = 357;
export const OP_IMUL_RI32 = 358;
export const OP_IMUL_RI64 = 359;

/** One register operand. */
export const OP_INC_R32 = 360;
export const OP_INC_R64 = 361;
export const OP_DEC_R32 = 362;
export const OP_DEC_R64 = 363;
export const OP_NEG_R32 = 364;
export const OP_NEG_R64 = 365;
export const OP_NOT_R32 = 366;
export const OP_NOT_R64 = 367;

/** Rotates of a 32- or 64-bit register by IMM, as the shifts. */
export const OP_ROL_I32 = 368;
export const OP_ROL_I64 = 369;
export const OP_ROR_I32 = 370;
export const OP_ROR_I64 = 371;

/** Two micro-ops at once: plus the number of the pair in pairs.ts. */
export const OP_PAIRS = 372;
/** From here on a function does the micro-op. */
export const OP_COLD = 512;

/** Whether a micro-op with a memory operand adds an index itself. Most of the run loop's cases don't: few operands have one. */
export function takesIndex(op: number): boolean {
  return op >= OP_COLD || (op >= OP_MOV && op < OP_ADD) || (op >= OP_LEA_16 && op <= OP_LEA_64) || op === OP_EA;
}

// Register (R) and memory (M) forms, each plus the size. IMM says which of a family where the name doesn't.
export const OP_XCHG_R = 512;
export const OP_XCHG_M = 516;
export const OP_XADD_R = 520;
export const OP_XADD_M = 524;
export const OP_CMPXCHG_R = 528;
export const OP_CMPXCHG_M = 532;
/** IMM: 0 ROL … 7 SAR as encoded; the count is the byte at B, or the upper half of IMM where B is ZERO. */
export const OP_SHIFT_R = 536;
export const OP_SHIFT_M = 540;
/** B: what is shifted in. IMM: bit 0 SHRD, bit 1 count in CL; else the upper half is the count. */
export const OP_SHIFT_DOUBLE_R = 544;
export const OP_SHIFT_DOUBLE_M = 548;
/** IMM: 4 MUL, 5 IMUL, 6 DIV, 7 IDIV, by A or memory. */
export const OP_MULTIPLY_R = 552;
export const OP_MULTIPLY_M = 556;
/** A = B or memory × IMM; without an immediate (OP_IMUL_16) A is a factor. */
export const OP_IMUL_16_R = 560;
export const OP_IMUL_16_M = 561;
export const OP_IMUL_16_RI = 562;
export const OP_IMUL_MI = 564;
/** IMM: 0 INC, 1 DEC, 2 NOT, 3 NEG. */
export const OP_UNARY_R = 568;
export const OP_UNARY_M = 572;
/**
 * IMM low: the bit's number, or B its register, then 1 where the address wraps at 32 bits (in 64-bit mode, where it has
 * no segment base of its own). High: 0 BT, 1 BTS, 2 BTR, 3 BTC.
 */
export const OP_BIT_R = 576;
export const OP_BIT_M = 580;
/** IMM: 0 BSF, 1 BSR, 2 TZCNT, 3 POPCNT. */
export const OP_SCAN_R = 584;
export const OP_SCAN_M = 588;
/** CWD, CDQ, CQO. */
export const OP_SIGN_TO_DX = 592;
export const OP_BSWAP = 596;
/** To 16 bits, from 8. */
export const OP_ZX_16_R = 600;
export const OP_ZX_16_M = 601;
export const OP_SX_16_R = 602;
export const OP_SX_16_M = 603;
export const OP_SETCC_M = 604;
export const OP_CMOV_16_R = 605;
export const OP_CMOV_16_M = 606;
/** IMM: 0 LAHF, 1 SAHF, 2 CLC, 3 STC, 4 CMC, 5 CLD, 6 STD. */
export const OP_FLAGS = 607;
export const OP_CMPXCHG_8B = 610;
export const OP_CMPXCHG_16B = 611;
/** IMM: as OP_STRING's. */
export const OP_XLAT = 612;

// The stack by any size and mode, plus the operand's size.
export const OP_PUSH_ANY_R = 616;
export const OP_PUSH_ANY_I = 620;
export const OP_PUSH_ANY_M = 624;
export const OP_POP_ANY_R = 628;
/** The micro-op's address is computed after RSP has moved; IMM: the bytes of the operand. */
export const OP_POP_ANY_M = 632;
export const OP_PUSHA = 636;
export const OP_POPA = 640;
/** IMM: bytes, and the nesting level in its upper half. */
export const OP_ENTER = 652;
export const OP_LEAVE_ANY = 656;

/**
 * Plus log2 of the bytes. IMM: bits 1:0 log2 of the address size, bits 4:2 the source's segment, bit 5 outside 64-bit
 * mode, bit 6 REP or REPE, bit 7 REPNE.
 */
export const OP_MOVS = 660;
export const OP_CMPS = 664;
export const OP_STOS = 668;
export const OP_LODS = 672;
export const OP_SCAS = 676;

// Near transfers by any operand size and mode: plus the operand's size. Direct ones go to PAGE_BASE + IMM, wrapped.
export const OP_TRANSFER = 704;
export const OP_JMP_ANY = 704;
/** A: the condition. */
export const OP_JCC_ANY = 708;
export const OP_CALL_ANY = 712;
export const OP_JMP_ANY_R = 716;
export const OP_JMP_ANY_M = 720;
export const OP_CALL_ANY_R = 724;
export const OP_CALL_ANY_M = 728;
export const OP_RET_ANY = 732;
/** A: 0 LOOPNE, 1 LOOPE, 2 LOOP, 3 JCXZ, as encoded; B: log2 of the counter's bytes. */
export const OP_LOOP_ANY = 736;
export const OP_TRANSFER_END = 740;
