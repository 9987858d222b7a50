import { Code } from 'iced-x86';
import * as ops from '../../ops/x87.ts';

/** An instruction: micro-op, its IMM without the register, and how ST(i) goes into IMM. */
export interface X87Row {
  readonly code: Code;
  readonly op: number;
  readonly imm: number;
  /** Operand that is ST(i), with the factor of i in IMM. */
  readonly stack?: { readonly operand: 0 | 1; readonly factor: number };
}

const row = (code: Code, op: number, imm = 0): X87Row => ({ code, op, imm });
const stackRow = (code: Code, op: number, operand: 0 | 1, imm = 0, factor = 1): X87Row => ({
  code,
  op,
  imm,
  stack: { operand, factor },
});

/** The operations' numbers in encodings: add, multiply, subtract, reversed, divide, reversed. */
const OPERATIONS = [0, 1, 4, 5, 6, 7] as const;
const DESTINATION = 1 << 8;
const OTHER = 1 << 12;
const POP = 1 << 16;
const QUIET = 1 << 20;

/** ST(0) op memory, by the operation's number in the encoding. */
function arithmetic(op: number, codes: readonly Code[]): X87Row[] {
  return codes.map((code, index) => row(code, op, OPERATIONS[index] ?? 0));
}

const ARITHMETIC: readonly X87Row[] = [
  ...arithmetic(ops.OP_FARITH_M32, [
    Code.Fadd_m32fp,
    Code.Fmul_m32fp,
    Code.Fsub_m32fp,
    Code.Fsubr_m32fp,
    Code.Fdiv_m32fp,
    Code.Fdivr_m32fp,
  ]),
  ...arithmetic(ops.OP_FARITH_M64, [
    Code.Fadd_m64fp,
    Code.Fmul_m64fp,
    Code.Fsub_m64fp,
    Code.Fsubr_m64fp,
    Code.Fdiv_m64fp,
    Code.Fdivr_m64fp,
  ]),
  ...arithmetic(ops.OP_FARITH_I16, [
    Code.Fiadd_m16int,
    Code.Fimul_m16int,
    Code.Fisub_m16int,
    Code.Fisubr_m16int,
    Code.Fidiv_m16int,
    Code.Fidivr_m16int,
  ]),
  ...arithmetic(ops.OP_FARITH_I32, [
    Code.Fiadd_m32int,
    Code.Fimul_m32int,
    Code.Fisub_m32int,
    Code.Fisubr_m32int,
    Code.Fidiv_m32int,
    Code.Fidivr_m32int,
  ]),
  ...(
    [
      [Code.Fadd_st0_sti, Code.Fadd_sti_st0, Code.Faddp_sti_st0],
      [Code.Fmul_st0_sti, Code.Fmul_sti_st0, Code.Fmulp_sti_st0],
      [Code.Fsub_st0_sti, Code.Fsub_sti_st0, Code.Fsubp_sti_st0],
      [Code.Fsubr_st0_sti, Code.Fsubr_sti_st0, Code.Fsubrp_sti_st0],
      [Code.Fdiv_st0_sti, Code.Fdiv_sti_st0, Code.Fdivp_sti_st0],
      [Code.Fdivr_st0_sti, Code.Fdivr_sti_st0, Code.Fdivrp_sti_st0],
    ] as const
  ).flatMap(([toTop, fromTop, popping], index) => {
    const operation = OPERATIONS[index] ?? 0;
    return [
      stackRow(toTop, ops.OP_FARITH_ST, 1, operation, OTHER),
      stackRow(fromTop, ops.OP_FARITH_ST, 0, operation, DESTINATION),
      stackRow(popping, ops.OP_FARITH_ST, 0, operation | POP, DESTINATION),
    ];
  }),
];

const COMPARISONS: readonly X87Row[] = [
  row(Code.Fcom_m32fp, ops.OP_FCOM_M32),
  row(Code.Fcomp_m32fp, ops.OP_FCOM_M32, POP),
  row(Code.Fcom_m64fp, ops.OP_FCOM_M64),
  row(Code.Fcomp_m64fp, ops.OP_FCOM_M64, POP),
  row(Code.Ficom_m16int, ops.OP_FICOM16),
  row(Code.Ficomp_m16int, ops.OP_FICOM16, POP),
  row(Code.Ficom_m32int, ops.OP_FICOM32),
  row(Code.Ficomp_m32int, ops.OP_FICOM32, POP),
  stackRow(Code.Fcom_st0_sti, ops.OP_FCOM_ST, 1),
  stackRow(Code.Fcom_st0_sti_DCD0, ops.OP_FCOM_ST, 1),
  stackRow(Code.Fcomp_st0_sti, ops.OP_FCOM_ST, 1, POP),
  stackRow(Code.Fcomp_st0_sti_DCD8, ops.OP_FCOM_ST, 1, POP),
  stackRow(Code.Fcomp_st0_sti_DED0, ops.OP_FCOM_ST, 1, POP),
  row(Code.Fcompp, ops.OP_FCOM_ST, (2 * POP) | 1),
  stackRow(Code.Fucom_st0_sti, ops.OP_FCOM_ST, 1, QUIET),
  stackRow(Code.Fucomp_st0_sti, ops.OP_FCOM_ST, 1, QUIET | POP),
  row(Code.Fucompp, ops.OP_FCOM_ST, QUIET | (2 * POP) | 1),
  stackRow(Code.Fcomi_st0_sti, ops.OP_FCOMI, 1),
  stackRow(Code.Fcomip_st0_sti, ops.OP_FCOMI, 1, POP),
  stackRow(Code.Fucomi_st0_sti, ops.OP_FCOMI, 1, QUIET),
  stackRow(Code.Fucomip_st0_sti, ops.OP_FCOMI, 1, QUIET | POP),
  row(Code.Ftst, ops.OP_FTST),
  row(Code.Fxam, ops.OP_FXAM),
];

const TRANSFERS: readonly X87Row[] = [
  row(Code.Fld_m32fp, ops.OP_FLD32),
  row(Code.Fld_m64fp, ops.OP_FLD64),
  row(Code.Fld_m80fp, ops.OP_FLD80),
  stackRow(Code.Fld_sti, ops.OP_FLD_ST, 0),
  row(Code.Fild_m16int, ops.OP_FILD16),
  row(Code.Fild_m32int, ops.OP_FILD32),
  row(Code.Fild_m64int, ops.OP_FILD64),
  ...[Code.Fld1, Code.Fldl2t, Code.Fldl2e, Code.Fldpi, Code.Fldlg2, Code.Fldln2, Code.Fldz].map((code, which) =>
    row(code, ops.OP_FLD_CONSTANT, which),
  ),
  row(Code.Fst_m32fp, ops.OP_FST32),
  row(Code.Fstp_m32fp, ops.OP_FST32, 1),
  row(Code.Fst_m64fp, ops.OP_FST64),
  row(Code.Fstp_m64fp, ops.OP_FST64, 1),
  row(Code.Fstp_m80fp, ops.OP_FSTP80, 1),
  row(Code.Fist_m16int, ops.OP_FIST16),
  row(Code.Fistp_m16int, ops.OP_FIST16, 1),
  row(Code.Fist_m32int, ops.OP_FIST32),
  row(Code.Fistp_m32int, ops.OP_FIST32, 1),
  row(Code.Fistp_m64int, ops.OP_FIST64, 1),
  stackRow(Code.Fst_sti, ops.OP_FST_ST, 0),
  stackRow(Code.Fstp_sti, ops.OP_FST_ST, 0, 0x100),
  stackRow(Code.Fstp_sti_DFD0, ops.OP_FST_ST, 0, 0x100),
  stackRow(Code.Fstp_sti_DFD8, ops.OP_FST_ST, 0, 0x100),
];

/** FCMOVcc: flags of EFLAGS, and whether they must be clear. */
const fcmov = (code: Code, flags: number, clear: 0 | 1): X87Row =>
  stackRow(code, ops.OP_FCMOV, 1, (flags << 8) | (clear << 16));

const REGISTERS: readonly X87Row[] = [
  row(Code.Fchs, ops.OP_FCHS),
  row(Code.Fabs, ops.OP_FABS),
  row(Code.Fsqrt, ops.OP_FSQRT),
  row(Code.Frndint, ops.OP_FRNDINT),
  row(Code.Fscale, ops.OP_FSCALE),
  row(Code.Fprem, ops.OP_FPREM),
  row(Code.Fprem1, ops.OP_FPREM1),
  row(Code.Fxtract, ops.OP_FXTRACT),
  stackRow(Code.Fxch_st0_sti, ops.OP_FXCH, 1),
  stackRow(Code.Fxch_st0_sti_DDC8, ops.OP_FXCH, 1),
  stackRow(Code.Fxch_st0_sti_DFC8, ops.OP_FXCH, 1),
  stackRow(Code.Ffree_sti, ops.OP_FFREE, 0),
  stackRow(Code.Ffreep_sti, ops.OP_FFREE, 0, 0x100),
  row(Code.Fincstp, ops.OP_FINCSTP),
  row(Code.Fdecstp, ops.OP_FDECSTP),
  fcmov(Code.Fcmovb_st0_sti, 0x01, 0),
  fcmov(Code.Fcmove_st0_sti, 0x40, 0),
  fcmov(Code.Fcmovbe_st0_sti, 0x41, 0),
  fcmov(Code.Fcmovu_st0_sti, 0x04, 0),
  fcmov(Code.Fcmovnb_st0_sti, 0x01, 1),
  fcmov(Code.Fcmovne_st0_sti, 0x40, 1),
  fcmov(Code.Fcmovnbe_st0_sti, 0x41, 1),
  fcmov(Code.Fcmovnu_st0_sti, 0x04, 1),
];

const CONTROL: readonly X87Row[] = [
  row(Code.Fninit, ops.OP_FNINIT),
  row(Code.Fnclex, ops.OP_FNCLEX),
  row(Code.Fnstcw_m2byte, ops.OP_FNSTCW),
  row(Code.Fnstsw_m2byte, ops.OP_FNSTSW),
  row(Code.Fnstsw_AX, ops.OP_FNSTSW_AX),
  row(Code.Fnstenv_m14byte, ops.OP_FNSTENV, 14),
  row(Code.Fnstenv_m28byte, ops.OP_FNSTENV, 28),
  row(Code.Fnsave_m94byte, ops.OP_FNSAVE, 14),
  row(Code.Fnsave_m108byte, ops.OP_FNSAVE, 28),
  row(Code.Fldcw_m2byte, ops.OP_FLDCW),
  row(Code.Fldenv_m14byte, ops.OP_FLDENV, 14),
  row(Code.Fldenv_m28byte, ops.OP_FLDENV, 28),
  row(Code.Frstor_m94byte, ops.OP_FRSTOR, 14),
  row(Code.Frstor_m108byte, ops.OP_FRSTOR, 28),
  row(Code.Wait, ops.OP_FWAIT),
  row(Code.Emms, ops.OP_EMMS),
  row(Code.Fnop, ops.OP_FNOP),
  row(Code.Fneni, ops.OP_FNENI),
  row(Code.Fndisi, ops.OP_FNENI),
  row(Code.Fnsetpm, ops.OP_FNENI),
];

/** The x87's instructions but for decimals and transcendental functions. */
export const X87_ROWS: readonly X87Row[] = [...CONTROL, ...TRANSFERS, ...ARITHMETIC, ...COMPARISONS, ...REGISTERS];
