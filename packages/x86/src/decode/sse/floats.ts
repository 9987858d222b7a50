import { Code, Mnemonic, OpKind } from 'iced-x86';
import * as ops from '../../ops/sse.ts';
import type { Lowering } from '../lower.ts';
import { registerAddress } from '../operands.ts';
import { control, emitSource } from './operands.ts';

const ALIGNED = 16 | ops.SSE_ALIGNED;

/** Memory operand by form: packed single, packed double, scalar single, scalar double. */
const HOW = [ALIGNED, ALIGNED, 4, 8] as const;

/** Destination and source in XMM registers, general registers or memory that is read as `how` says. */
function plain(op: number, how: number): Lowering {
  return (instruction, writer) => {
    if (instruction.op0Kind !== OpKind.Register) return 'unsupported';
    emitSource(instruction, writer, op, registerAddress(instruction.op0Register), control(instruction), how);
    return 'next';
  };
}

type Four = readonly [Mnemonic, Mnemonic, Mnemonic, Mnemonic];

const forms = (op: number, names: Four): [Mnemonic, Lowering][] =>
  names.map((name, form) => [name, plain(op + form, HOW[form] ?? 0)]);

/** From a general register or memory; `wide` is the 64-bit form. */
const fromGeneral =
  (op32: number, op64: number, wide: Code): Lowering =>
  (instruction, writer) =>
    (instruction.code === wide ? plain(op64, 8) : plain(op32, 4))(instruction, writer);

/** To a general register, of a single or double in a register or memory of `bytes`; `wide` is the 64-bit form. */
const toGeneral =
  (op32: number, op64: number, wide: Code, bytes: 4 | 8): Lowering =>
  (instruction, writer) =>
    plain(instruction.code === wide ? op64 : op32, bytes)(instruction, writer);

const compares = forms(ops.OP_FLOAT_CMP, [Mnemonic.Cmpps, Mnemonic.Cmppd, Mnemonic.Cmpss, Mnemonic.Cmpsd]);

export const floats: readonly (readonly [Mnemonic, Lowering])[] = [
  ...forms(ops.OP_FLOAT_ADD, [Mnemonic.Addps, Mnemonic.Addpd, Mnemonic.Addss, Mnemonic.Addsd]),
  ...forms(ops.OP_FLOAT_MUL, [Mnemonic.Mulps, Mnemonic.Mulpd, Mnemonic.Mulss, Mnemonic.Mulsd]),
  ...forms(ops.OP_FLOAT_SUB, [Mnemonic.Subps, Mnemonic.Subpd, Mnemonic.Subss, Mnemonic.Subsd]),
  ...forms(ops.OP_FLOAT_MIN, [Mnemonic.Minps, Mnemonic.Minpd, Mnemonic.Minss, Mnemonic.Minsd]),
  ...forms(ops.OP_FLOAT_DIV, [Mnemonic.Divps, Mnemonic.Divpd, Mnemonic.Divss, Mnemonic.Divsd]),
  ...forms(ops.OP_FLOAT_MAX, [Mnemonic.Maxps, Mnemonic.Maxpd, Mnemonic.Maxss, Mnemonic.Maxsd]),
  ...forms(ops.OP_FLOAT_SQRT, [Mnemonic.Sqrtps, Mnemonic.Sqrtpd, Mnemonic.Sqrtss, Mnemonic.Sqrtsd]),
  // CMPSD is also a string instruction: that form has no register operand.
  ...compares,
  [Mnemonic.Rcpps, plain(ops.OP_RCPPS, ALIGNED)],
  [Mnemonic.Rcpss, plain(ops.OP_RCPSS, 4)],
  [Mnemonic.Rsqrtps, plain(ops.OP_RSQRTPS, ALIGNED)],
  [Mnemonic.Rsqrtss, plain(ops.OP_RSQRTSS, 4)],
  [Mnemonic.Comiss, plain(ops.OP_COMISS, 4)],
  [Mnemonic.Comisd, plain(ops.OP_COMISD, 8)],
  [Mnemonic.Ucomiss, plain(ops.OP_UCOMISS, 4)],
  [Mnemonic.Ucomisd, plain(ops.OP_UCOMISD, 8)],
  [Mnemonic.Cvtps2pd, plain(ops.OP_CVTPS2PD, 8)],
  [Mnemonic.Cvtpd2ps, plain(ops.OP_CVTPD2PS, ALIGNED)],
  [Mnemonic.Cvtss2sd, plain(ops.OP_CVTSS2SD, 4)],
  [Mnemonic.Cvtsd2ss, plain(ops.OP_CVTSD2SS, 8)],
  [Mnemonic.Cvtdq2ps, plain(ops.OP_CVTDQ2PS, ALIGNED)],
  [Mnemonic.Cvtps2dq, plain(ops.OP_CVTPS2DQ, ALIGNED)],
  [Mnemonic.Cvttps2dq, plain(ops.OP_CVTTPS2DQ, ALIGNED)],
  [Mnemonic.Cvtdq2pd, plain(ops.OP_CVTDQ2PD, 8)],
  [Mnemonic.Cvtpd2dq, plain(ops.OP_CVTPD2DQ, ALIGNED)],
  [Mnemonic.Cvttpd2dq, plain(ops.OP_CVTTPD2DQ, ALIGNED)],
  [Mnemonic.Cvtsi2ss, fromGeneral(ops.OP_CVTSI2SS32, ops.OP_CVTSI2SS64, Code.Cvtsi2ss_xmm_rm64)],
  [Mnemonic.Cvtsi2sd, fromGeneral(ops.OP_CVTSI2SD32, ops.OP_CVTSI2SD64, Code.Cvtsi2sd_xmm_rm64)],
  [Mnemonic.Cvtss2si, toGeneral(ops.OP_CVTSS2SI32, ops.OP_CVTSS2SI64, Code.Cvtss2si_r64_xmmm32, 4)],
  [Mnemonic.Cvttss2si, toGeneral(ops.OP_CVTTSS2SI32, ops.OP_CVTTSS2SI64, Code.Cvttss2si_r64_xmmm32, 4)],
  [Mnemonic.Cvtsd2si, toGeneral(ops.OP_CVTSD2SI32, ops.OP_CVTSD2SI64, Code.Cvtsd2si_r64_xmmm64, 8)],
  [Mnemonic.Cvttsd2si, toGeneral(ops.OP_CVTTSD2SI32, ops.OP_CVTTSD2SI64, Code.Cvttsd2si_r64_xmmm64, 8)],
];
