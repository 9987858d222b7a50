/**
 * SSE and SSE2 micro-ops, 0x400–0x5ff. A is the destination, B the source where that is a register; IMM's low half holds
 * the immediate, its high half how the source is read, where it is no register (see below). MMX takes its integer
 * operations from here: src/ops/x87.ts.
 */

// IMM's high half: bits 7:0 bytes of the memory operand (0: the source is register B), and
/** the memory operand must be aligned to 16 bytes, else #GP(0). */
export const SSE_ALIGNED = 0x100;
/** the source is the immediate itself, as a 64-bit count. */
export const SSE_IMMEDIATE = 0x200;

// --- Not bound to CR4.OSFXSR, CR0.EM and CR0.TS, or by rules of their own
/** Memory = register B. */
export const OP_MOVNTI32 = 0x400;
export const OP_MOVNTI64 = 0x401;
/** IMM: 1 for the 64-bit form (REX.W). */
export const OP_FXSAVE = 0x402;
export const OP_FXRSTOR = 0x403;

// --- Moves. From 0x410 on CR4.OSFXSR and CR0 are looked at first
/** The rest of A is kept (A and B may point into the middle of a register). */
export const OP_SSE_COPY32 = 0x410;
export const OP_SSE_COPY64 = 0x411;
export const OP_SSE_COPY128 = 0x412;
/** The rest of the 128 bits becomes 0. */
export const OP_SSE_LOAD32 = 0x413;
export const OP_SSE_LOAD64 = 0x414;
/** General register A = the low half of B, the rest 0. */
export const OP_SSE_TO_GPR32 = 0x415;
/** Memory = B. */
export const OP_SSE_STORE32 = 0x416;
export const OP_SSE_STORE64 = 0x417;
export const OP_SSE_STORE128 = 0x418;
/** General register A = the sign bits of B's elements. */
export const OP_MOVMSKPS = 0x419;
export const OP_MOVMSKPD = 0x41a;
export const OP_PMOVMSKB = 0x41b;
/** Element IMM of A = the low 16 bits of general register B or memory. */
export const OP_PINSRW = 0x41c;
/** General register A = element IMM of B. */
export const OP_PEXTRW = 0x41d;
/** Bytes of A go to memory where bit 7 of B's byte is set. */
export const OP_MASKMOVDQU = 0x41e;
export const OP_LDMXCSR = 0x41f;
export const OP_STMXCSR = 0x420;

// --- Integer and logic: A = A op B on 128 bits
/** Of integers, singles and doubles alike. */
export const OP_PAND = 0x440;
export const OP_PANDN = 0x441;
export const OP_POR = 0x442;
export const OP_PXOR = 0x443;
export const OP_PADDB = 0x444;
export const OP_PADDW = 0x445;
export const OP_PADDD = 0x446;
export const OP_PADDQ = 0x447;
export const OP_PADDSB = 0x448;
export const OP_PADDSW = 0x449;
export const OP_PADDUSB = 0x44a;
export const OP_PADDUSW = 0x44b;
export const OP_PSUBB = 0x44c;
export const OP_PSUBW = 0x44d;
export const OP_PSUBD = 0x44e;
export const OP_PSUBQ = 0x44f;
export const OP_PSUBSB = 0x450;
export const OP_PSUBSW = 0x451;
export const OP_PSUBUSB = 0x452;
export const OP_PSUBUSW = 0x453;
export const OP_PMULLW = 0x454;
export const OP_PMULHW = 0x455;
export const OP_PMULHUW = 0x456;
export const OP_PMULUDQ = 0x457;
export const OP_PMADDWD = 0x458;
export const OP_PSADBW = 0x459;
export const OP_PAVGB = 0x45a;
export const OP_PAVGW = 0x45b;
export const OP_PMINUB = 0x45c;
export const OP_PMAXUB = 0x45d;
export const OP_PMINSW = 0x45e;
export const OP_PMAXSW = 0x45f;
export const OP_PCMPEQB = 0x460;
export const OP_PCMPEQW = 0x461;
export const OP_PCMPEQD = 0x462;
export const OP_PCMPGTB = 0x463;
export const OP_PCMPGTW = 0x464;
export const OP_PCMPGTD = 0x465;
/** Shifts: the count is the low 64 bits of the source. */
export const OP_PSLLW = 0x466;
export const OP_PSLLD = 0x467;
export const OP_PSLLQ = 0x468;
export const OP_PSRLW = 0x469;
export const OP_PSRLD = 0x46a;
export const OP_PSRLQ = 0x46b;
export const OP_PSRAW = 0x46c;
export const OP_PSRAD = 0x46d;
/** In bytes. */
export const OP_PSLLDQ = 0x46e;
export const OP_PSRLDQ = 0x46f;
export const OP_PACKSSWB = 0x470;
export const OP_PACKSSDW = 0x471;
export const OP_PACKUSWB = 0x472;
export const OP_PUNPCKLBW = 0x473;
export const OP_PUNPCKLWD = 0x474;
export const OP_PUNPCKLDQ = 0x475;
export const OP_PUNPCKLQDQ = 0x476;
export const OP_PUNPCKHBW = 0x477;
export const OP_PUNPCKHWD = 0x478;
export const OP_PUNPCKHDQ = 0x479;
export const OP_PUNPCKHQDQ = 0x47a;
/** Shuffles: IMM is the control. */
export const OP_PSHUFD = 0x47b;
export const OP_PSHUFLW = 0x47c;
export const OP_PSHUFHW = 0x47d;
export const OP_SHUFPS = 0x47e;
export const OP_SHUFPD = 0x47f;

// --- Floating point
/** A = A op B. Add the form: packed single 0, packed double 1, scalar single 2, scalar double 3. */
export const OP_FLOAT_ADD = 0x4c0;
export const OP_FLOAT_MUL = 0x4c4;
export const OP_FLOAT_SUB = 0x4c8;
export const OP_FLOAT_MIN = 0x4cc;
export const OP_FLOAT_DIV = 0x4d0;
export const OP_FLOAT_MAX = 0x4d4;
export const OP_FLOAT_SQRT = 0x4d8;
/** IMM: the predicate (bits 2:0). */
export const OP_FLOAT_CMP = 0x4dc;
/** Approximations, packed and scalar. */
export const OP_RCPPS = 0x4e0;
export const OP_RCPSS = 0x4e1;
export const OP_RSQRTPS = 0x4e2;
export const OP_RSQRTSS = 0x4e3;
/** ZF, PF and CF from comparing the lowest elements. */
export const OP_COMISS = 0x4e4;
export const OP_COMISD = 0x4e5;
export const OP_UCOMISS = 0x4e6;
export const OP_UCOMISD = 0x4e7;
export const OP_CVTPS2PD = 0x4e8;
export const OP_CVTPD2PS = 0x4e9;
export const OP_CVTSS2SD = 0x4ea;
export const OP_CVTSD2SS = 0x4eb;
export const OP_CVTDQ2PS = 0x4ec;
export const OP_CVTPS2DQ = 0x4ed;
export const OP_CVTTPS2DQ = 0x4ee;
export const OP_CVTDQ2PD = 0x4ef;
export const OP_CVTPD2DQ = 0x4f0;
export const OP_CVTTPD2DQ = 0x4f1;
/** From a general register or memory of 32 or 64 bits. */
export const OP_CVTSI2SS32 = 0x4f2;
export const OP_CVTSI2SS64 = 0x4f3;
export const OP_CVTSI2SD32 = 0x4f4;
export const OP_CVTSI2SD64 = 0x4f5;
/** To general register A. */
export const OP_CVTSS2SI32 = 0x4f6;
export const OP_CVTSS2SI64 = 0x4f7;
export const OP_CVTSD2SI32 = 0x4f8;
export const OP_CVTSD2SI64 = 0x4f9;
export const OP_CVTTSS2SI32 = 0x4fa;
export const OP_CVTTSS2SI64 = 0x4fb;
export const OP_CVTTSD2SI32 = 0x4fc;
export const OP_CVTTSD2SI64 = 0x4fd;
