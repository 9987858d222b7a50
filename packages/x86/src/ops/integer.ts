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

/** Shapes and sizes. A 32-bit register and immediate: OP_MOV + RI + S64. */
export const OP_MOV = 32;

// In the order of the encoding, 20 numbers each.
export const OP_ADD = 52;
export const OP_OR = 72;
export const OP_ADC = 92;
export const OP_SBB = 112;
export const OP_AND = 132;
export const OP_SUB = 152;
export const OP_XOR = 172;
export const OP_CMP = 192;
export const OP_TEST = 212;

// MOVZX to 32 bits (and thereby to 64) and MOVSX; the numbers are bits of source and destination.
export const OP_ZX_R8 = 232;
export const OP_ZX_R16 = 233;
export const OP_ZX_M8 = 234;
export const OP_ZX_M16 = 235;
export const OP_SX_R8_32 = 236;
export const OP_SX_R8_64 = 237;
export const OP_SX_R16_32 = 238;
export const OP_SX_R16_64 = 239;
export const OP_SX_R32_64 = 240;
export const OP_SX_M8_32 = 241;
export const OP_SX_M8_64 = 242;
export const OP_SX_M16_32 = 243;
export const OP_SX_M16_64 = 244;
export const OP_SX_M32_64 = 245;

/** Shifts of a 32- or 64-bit register by IMM, which is at least 1 and below the size. */
export const OP_SHL_I32 = 246;
export const OP_SHL_I64 = 247;
export const OP_SHR_I32 = 248;
export const OP_SHR_I64 = 249;
export const OP_SAR_I32 = 250;
export const OP_SAR_I64 = 251;

/** Plus the condition's number; A of the micro-op is the number too. */
export const OP_JCC = 256;

/**
 * A comparison and the conditional jump behind it, whose micro-op stays where it is: this one does both. Plus 20 times
 * the condition's group, plus shape and size. A jump's condition is its group, negated where the condition is odd.
 */
export const OP_CMP_JUMP = 272;
export const GROUP_E = 0;
export const GROUP_B = 20;
export const GROUP_BE = 40;
export const GROUP_L = 60;
export const GROUP_LE = 80;
export const OP_TEST_JUMP = 372;
export const GROUP_S = 20;
export const GROUP_TEST_LE = 40;
export const OP_FUSED_END = 432;

/** A: destination, B: source or ZERO, IMM: the condition. */
export const OP_SETCC_R = 432;
export const OP_CMOV_R32 = 433;
export const OP_CMOV_R64 = 434;
export const OP_CMOV_M32 = 435;
export const OP_CMOV_M64 = 436;
/** Two operands, and three of which IMM is one. */
export const OP_IMUL_R32 = 437;
export const OP_IMUL_R64 = 438;
export const OP_IMUL_M32 = 439;
export const OP_IMUL_M64 = 440;
export const OP_IMUL_RI32 = 441;
export const OP_IMUL_RI64 = 442;
/** One register operand. */
export const OP_INC_R32 = 443;
export const OP_INC_R64 = 444;
export const OP_DEC_R32 = 445;
export const OP_DEC_R64 = 446;
export const OP_NEG_R32 = 447;
export const OP_NEG_R64 = 448;
export const OP_NOT_R32 = 449;
export const OP_NOT_R64 = 450;

/** From here on a function does the micro-op. */
export const OP_COLD = 512;
