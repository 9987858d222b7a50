import { type Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import { ZERO } from '../../layout.ts';
import * as sse from '../../ops/sse.ts';
import * as ops from '../../ops/x87.ts';
import type { Lowering } from '../lower.ts';
import { emitMemory, registerAddress } from '../operands.ts';
import { control, emitMaskedStore, emitSource } from '../sse/operands.ts';
import type { TraceWriter } from '../trace-writer.ts';

const isMmx = (register: Register): boolean => register >= Register.MM0 && register <= Register.MM7;

/** Into an MMX register: forms with an XMM register are SSE's. */
const intoMmx =
  (op: number, bytes: number, operation = 0): Lowering =>
  (instruction, writer) => {
    if (!isMmx(instruction.op0Register)) return 'unsupported';
    emitMmx(instruction, writer, op, bytes, operation);
    return 'next';
  };

function emitMmx(instruction: Instruction, writer: TraceWriter, op: number, bytes: number, operation: number): void {
  const a = registerAddress(instruction.op0Register);
  if (instruction.op1Kind === OpKind.Immediate8) {
    const low = instruction.immediate8 | (operation << 16);
    writer.emit(op, a, ZERO, ZERO, ZERO, 0, 0, low, sse.SSE_IMMEDIATE);
  } else emitSource(instruction, writer, op, a, control(instruction) | (operation << 16), bytes);
}

/** From an MMX register to a general one (or an XMM register). */
const fromMmx =
  (op: number): Lowering =>
  (instruction, writer) => {
    if (!isMmx(instruction.op1Register)) return 'unsupported';
    emitSource(instruction, writer, op, registerAddress(instruction.op0Register), control(instruction), 0);
    return 'next';
  };

function movdOrMovq(bytes: 4 | 8): Lowering {
  const [load, store, toGeneral] =
    bytes === 4
      ? [ops.OP_MMX_LOAD32, ops.OP_MMX_STORE32, ops.OP_MMX_TO_GPR32]
      : [ops.OP_MMX_LOAD64, ops.OP_MMX_STORE64, ops.OP_MMX_TO_GPR64];
  return (instruction, writer) => {
    if (isMmx(instruction.op0Register)) emitMmx(instruction, writer, load, bytes, 0);
    else if (!isMmx(instruction.op1Register)) return 'unsupported';
    else if (instruction.op0Kind === OpKind.Memory)
      emitMemory(writer, instruction, store, ZERO, registerAddress(instruction.op1Register));
    else emitSource(instruction, writer, toGeneral, registerAddress(instruction.op0Register), 0, 0);
    return 'next';
  };
}

const maskedStore: Lowering = (instruction, writer) => {
  emitMaskedStore(instruction, writer, ops.OP_MASKMOVQ);
  return 'next';
};

/** Into an XMM register from an MMX register or memory of 8 bytes. */
const fromPacked =
  (op: number): Lowering =>
  (instruction, writer) => {
    emitSource(instruction, writer, op, registerAddress(instruction.op0Register), 0, 8);
    return 'next';
  };

/** Operations on 64 bits that are the lower half of those on 128. */
const SAME: readonly (readonly [Mnemonic, number])[] = [
  [Mnemonic.Pand, sse.OP_PAND],
  [Mnemonic.Pandn, sse.OP_PANDN],
  [Mnemonic.Por, sse.OP_POR],
  [Mnemonic.Pxor, sse.OP_PXOR],
  [Mnemonic.Paddb, sse.OP_PADDB],
  [Mnemonic.Paddw, sse.OP_PADDW],
  [Mnemonic.Paddd, sse.OP_PADDD],
  [Mnemonic.Paddq, sse.OP_PADDQ],
  [Mnemonic.Paddsb, sse.OP_PADDSB],
  [Mnemonic.Paddsw, sse.OP_PADDSW],
  [Mnemonic.Paddusb, sse.OP_PADDUSB],
  [Mnemonic.Paddusw, sse.OP_PADDUSW],
  [Mnemonic.Psubb, sse.OP_PSUBB],
  [Mnemonic.Psubw, sse.OP_PSUBW],
  [Mnemonic.Psubd, sse.OP_PSUBD],
  [Mnemonic.Psubq, sse.OP_PSUBQ],
  [Mnemonic.Psubsb, sse.OP_PSUBSB],
  [Mnemonic.Psubsw, sse.OP_PSUBSW],
  [Mnemonic.Psubusb, sse.OP_PSUBUSB],
  [Mnemonic.Psubusw, sse.OP_PSUBUSW],
  [Mnemonic.Pmullw, sse.OP_PMULLW],
  [Mnemonic.Pmulhw, sse.OP_PMULHW],
  [Mnemonic.Pmulhuw, sse.OP_PMULHUW],
  [Mnemonic.Pmuludq, sse.OP_PMULUDQ],
  [Mnemonic.Pmaddwd, sse.OP_PMADDWD],
  [Mnemonic.Psadbw, sse.OP_PSADBW],
  [Mnemonic.Pavgb, sse.OP_PAVGB],
  [Mnemonic.Pavgw, sse.OP_PAVGW],
  [Mnemonic.Pminub, sse.OP_PMINUB],
  [Mnemonic.Pmaxub, sse.OP_PMAXUB],
  [Mnemonic.Pminsw, sse.OP_PMINSW],
  [Mnemonic.Pmaxsw, sse.OP_PMAXSW],
  [Mnemonic.Pcmpeqb, sse.OP_PCMPEQB],
  [Mnemonic.Pcmpeqw, sse.OP_PCMPEQW],
  [Mnemonic.Pcmpeqd, sse.OP_PCMPEQD],
  [Mnemonic.Pcmpgtb, sse.OP_PCMPGTB],
  [Mnemonic.Pcmpgtw, sse.OP_PCMPGTW],
  [Mnemonic.Pcmpgtd, sse.OP_PCMPGTD],
  [Mnemonic.Psllw, sse.OP_PSLLW],
  [Mnemonic.Pslld, sse.OP_PSLLD],
  [Mnemonic.Psllq, sse.OP_PSLLQ],
  [Mnemonic.Psrlw, sse.OP_PSRLW],
  [Mnemonic.Psrld, sse.OP_PSRLD],
  [Mnemonic.Psrlq, sse.OP_PSRLQ],
  [Mnemonic.Psraw, sse.OP_PSRAW],
  [Mnemonic.Psrad, sse.OP_PSRAD],
];

const packed = (mnemonic: Mnemonic, op: number, operation: number, bytes = 8): readonly [Mnemonic, Lowering] => [
  mnemonic,
  intoMmx(op, bytes, operation),
];

export const mmx: readonly (readonly [Mnemonic, Lowering])[] = [
  ...SAME.map(([mnemonic, operation]) => packed(mnemonic, ops.OP_MMX, operation)),
  packed(Mnemonic.Packsswb, ops.OP_MMX_PACKED, sse.OP_PACKSSWB),
  packed(Mnemonic.Packssdw, ops.OP_MMX_PACKED, sse.OP_PACKSSDW),
  packed(Mnemonic.Packuswb, ops.OP_MMX_PACKED, sse.OP_PACKUSWB),
  packed(Mnemonic.Punpcklbw, ops.OP_MMX, sse.OP_PUNPCKLBW, 4),
  packed(Mnemonic.Punpcklwd, ops.OP_MMX, sse.OP_PUNPCKLWD, 4),
  packed(Mnemonic.Punpckldq, ops.OP_MMX, sse.OP_PUNPCKLDQ, 4),
  packed(Mnemonic.Punpckhbw, ops.OP_MMX_HIGH, sse.OP_PUNPCKLBW),
  packed(Mnemonic.Punpckhwd, ops.OP_MMX_HIGH, sse.OP_PUNPCKLWD),
  packed(Mnemonic.Punpckhdq, ops.OP_MMX_HIGH, sse.OP_PUNPCKLDQ),
  packed(Mnemonic.Pshufw, ops.OP_MMX, sse.OP_PSHUFLW),
  [Mnemonic.Movd, movdOrMovq(4)],
  [Mnemonic.Movq, movdOrMovq(8)],
  [Mnemonic.Movntq, movdOrMovq(8)],
  [Mnemonic.Pmovmskb, fromMmx(ops.OP_MMX_PMOVMSKB)],
  [Mnemonic.Pextrw, fromMmx(ops.OP_MMX_PEXTRW)],
  [Mnemonic.Pinsrw, intoMmx(ops.OP_MMX_PINSRW, 2)],
  [Mnemonic.Maskmovq, maskedStore],
  [Mnemonic.Movq2dq, fromMmx(ops.OP_MOVQ2DQ)],
  [Mnemonic.Movdq2q, intoMmx(ops.OP_MOVDQ2Q, 0)],
  [Mnemonic.Cvtpi2ps, fromPacked(ops.OP_CVTPI2PS)],
  [Mnemonic.Cvtpi2pd, fromPacked(ops.OP_CVTPI2PD)],
  [Mnemonic.Cvtps2pi, intoMmx(ops.OP_CVTPS2PI, 8)],
  [Mnemonic.Cvttps2pi, intoMmx(ops.OP_CVTTPS2PI, 8)],
  [Mnemonic.Cvtpd2pi, intoMmx(ops.OP_CVTPD2PI, 16 | sse.SSE_ALIGNED)],
  [Mnemonic.Cvttpd2pi, intoMmx(ops.OP_CVTTPD2PI, 16 | sse.SSE_ALIGNED)],
];
