/**
 * x87 and MMX micro-ops, 0x600–0x67f. What IMM holds is said at each.
 */

// --- Control, without looking for pending exceptions
export const OP_FNINIT = 0x600;
export const OP_FNCLEX = 0x601;
/** To memory. */
export const OP_FNSTCW = 0x602;
export const OP_FNSTSW = 0x603;
/** To general register A. */
export const OP_FNSTSW_AX = 0x604;
/** IMM: bytes of an environment, 14 or 28. */
export const OP_FNSTENV = 0x605;
export const OP_FNSAVE = 0x606;
/** FNENI, FNDISI and FNSETPM of the 8087 and 80287: nothing since the 80387. */
export const OP_FNENI = 0x607;

// --- Control, pending exceptions first
export const OP_FLDCW = 0x608;
export const OP_FLDENV = 0x609;
export const OP_FRSTOR = 0x60a;
export const OP_FWAIT = 0x60b;
export const OP_EMMS = 0x60c;
export const OP_FNOP = 0x60d;

// --- Loads
export const OP_FLD32 = 0x610;
export const OP_FLD64 = 0x611;
export const OP_FLD80 = 0x612;
/** IMM: i of ST(i). */
export const OP_FLD_ST = 0x613;
export const OP_FILD16 = 0x614;
export const OP_FILD32 = 0x615;
export const OP_FILD64 = 0x616;
/** IMM: 1, log2 10, log2 e, pi, log10 2, ln 2, 0. */
export const OP_FLD_CONSTANT = 0x617;

// --- Stores. IMM: how often the stack is popped
export const OP_FST32 = 0x618;
export const OP_FST64 = 0x619;
export const OP_FSTP80 = 0x61a;
export const OP_FIST16 = 0x61b;
export const OP_FIST32 = 0x61c;
export const OP_FIST64 = 0x61d;
/** IMM: i of ST(i) | pops << 8. */
export const OP_FST_ST = 0x61e;

// --- Arithmetic. IMM bits 2:0: add 0, multiply 1, subtract 4, subtract reversed 5, divide 6, divide reversed 7
/** ST(0) op memory. */
export const OP_FARITH_M32 = 0x620;
export const OP_FARITH_M64 = 0x621;
export const OP_FARITH_I16 = 0x622;
export const OP_FARITH_I32 = 0x623;
/** IMM bits 10:8: destination, 14:12: the other operand, 17:16: pops. */
export const OP_FARITH_ST = 0x624;

// --- Comparisons. IMM bits 17:16: pops, bit 20: quiet NaNs are no invalid operation
export const OP_FCOM_M32 = 0x626;
export const OP_FCOM_M64 = 0x627;
export const OP_FICOM16 = 0x628;
export const OP_FICOM32 = 0x629;
/** IMM bits 2:0: i of ST(i). */
export const OP_FCOM_ST = 0x62a;
/** Into ZF, PF and CF. */
export const OP_FCOMI = 0x62b;
export const OP_FTST = 0x62c;
export const OP_FXAM = 0x62d;

// --- Register instructions
export const OP_FCHS = 0x630;
export const OP_FABS = 0x631;
export const OP_FSQRT = 0x632;
export const OP_FRNDINT = 0x633;
export const OP_FSCALE = 0x634;
export const OP_FPREM = 0x635;
export const OP_FPREM1 = 0x636;
export const OP_FXTRACT = 0x637;
/** IMM: i of ST(i). */
export const OP_FXCH = 0x638;
/** IMM: i of ST(i) | pops << 8. */
export const OP_FFREE = 0x639;
export const OP_FINCSTP = 0x63a;
export const OP_FDECSTP = 0x63b;
/** IMM: i of ST(i) | flag mask of EFLAGS << 8 | taken when clear << 16. */
export const OP_FCMOV = 0x63c;

// --- MMX: registers are addressed by their physical number
/** A = A op B or memory (IMM's high half as for SSE); IMM: the immediate | the operation of src/ops/sse.ts << 16. */
export const OP_MMX = 0x640;
/** The same, of operations that take both sources as halves of 128 bits: packs. */
export const OP_MMX_PACKED = 0x641;
/** The same, of unpacks of the upper halves: the upper half of what the lower halves' unpack gives. */
export const OP_MMX_HIGH = 0x642;
/** A = B or memory. */
export const OP_MMX_LOAD32 = 0x643;
export const OP_MMX_LOAD64 = 0x644;
/** Memory = B. */
export const OP_MMX_STORE32 = 0x645;
export const OP_MMX_STORE64 = 0x646;
/** General register A = B. */
export const OP_MMX_TO_GPR32 = 0x647;
export const OP_MMX_TO_GPR64 = 0x648;
export const OP_MMX_PMOVMSKB = 0x649;
/** IMM: the element. */
export const OP_MMX_PINSRW = 0x64a;
export const OP_MMX_PEXTRW = 0x64b;
export const OP_MASKMOVQ = 0x64c;
/** Between XMM and MMX registers. These ask for SSE too. */
export const OP_MOVQ2DQ = 0x64d;
export const OP_MOVDQ2Q = 0x64e;
export const OP_CVTPI2PS = 0x64f;
export const OP_CVTPI2PD = 0x650;
export const OP_CVTPS2PI = 0x651;
export const OP_CVTTPS2PI = 0x652;
export const OP_CVTPD2PI = 0x653;
export const OP_CVTTPD2PI = 0x654;
