import { Mnemonic, Register } from 'iced-x86';
import * as ops from '../../ops/sse.ts';
import type { Lowering } from '../lower.ts';
import { registerAddress } from '../operands.ts';
import { control, emitSource } from './operands.ts';

/** Packed integers, logic and shuffles of XMM registers by name. */
const OPERATIONS: readonly (readonly [Mnemonic, number])[] = [
  ...([
    [Mnemonic.Andps, ops.OP_PAND],
    [Mnemonic.Andpd, ops.OP_PAND],
    [Mnemonic.Pand, ops.OP_PAND],
    [Mnemonic.Andnps, ops.OP_PANDN],
    [Mnemonic.Andnpd, ops.OP_PANDN],
    [Mnemonic.Pandn, ops.OP_PANDN],
    [Mnemonic.Orps, ops.OP_POR],
    [Mnemonic.Orpd, ops.OP_POR],
    [Mnemonic.Por, ops.OP_POR],
    [Mnemonic.Xorps, ops.OP_PXOR],
    [Mnemonic.Xorpd, ops.OP_PXOR],
    [Mnemonic.Pxor, ops.OP_PXOR],
  ] as const),
  ...([
    [Mnemonic.Unpcklps, ops.OP_PUNPCKLDQ],
    [Mnemonic.Unpckhps, ops.OP_PUNPCKHDQ],
    [Mnemonic.Unpcklpd, ops.OP_PUNPCKLQDQ],
    [Mnemonic.Unpckhpd, ops.OP_PUNPCKHQDQ],
  ] as const),
  [Mnemonic.Paddb, ops.OP_PADDB],
  [Mnemonic.Paddw, ops.OP_PADDW],
  [Mnemonic.Paddd, ops.OP_PADDD],
  [Mnemonic.Paddq, ops.OP_PADDQ],
  [Mnemonic.Paddsb, ops.OP_PADDSB],
  [Mnemonic.Paddsw, ops.OP_PADDSW],
  [Mnemonic.Paddusb, ops.OP_PADDUSB],
  [Mnemonic.Paddusw, ops.OP_PADDUSW],
  [Mnemonic.Psubb, ops.OP_PSUBB],
  [Mnemonic.Psubw, ops.OP_PSUBW],
  [Mnemonic.Psubd, ops.OP_PSUBD],
  [Mnemonic.Psubq, ops.OP_PSUBQ],
  [Mnemonic.Psubsb, ops.OP_PSUBSB],
  [Mnemonic.Psubsw, ops.OP_PSUBSW],
  [Mnemonic.Psubusb, ops.OP_PSUBUSB],
  [Mnemonic.Psubusw, ops.OP_PSUBUSW],
  [Mnemonic.Pmullw, ops.OP_PMULLW],
  [Mnemonic.Pmulhw, ops.OP_PMULHW],
  [Mnemonic.Pmulhuw, ops.OP_PMULHUW],
  [Mnemonic.Pmuludq, ops.OP_PMULUDQ],
  [Mnemonic.Pmaddwd, ops.OP_PMADDWD],
  [Mnemonic.Psadbw, ops.OP_PSADBW],
  [Mnemonic.Pavgb, ops.OP_PAVGB],
  [Mnemonic.Pavgw, ops.OP_PAVGW],
  [Mnemonic.Pminub, ops.OP_PMINUB],
  [Mnemonic.Pmaxub, ops.OP_PMAXUB],
  [Mnemonic.Pminsw, ops.OP_PMINSW],
  [Mnemonic.Pmaxsw, ops.OP_PMAXSW],
  [Mnemonic.Pcmpeqb, ops.OP_PCMPEQB],
  [Mnemonic.Pcmpeqw, ops.OP_PCMPEQW],
  [Mnemonic.Pcmpeqd, ops.OP_PCMPEQD],
  [Mnemonic.Pcmpgtb, ops.OP_PCMPGTB],
  [Mnemonic.Pcmpgtw, ops.OP_PCMPGTW],
  [Mnemonic.Pcmpgtd, ops.OP_PCMPGTD],
  [Mnemonic.Psllw, ops.OP_PSLLW],
  [Mnemonic.Pslld, ops.OP_PSLLD],
  [Mnemonic.Psllq, ops.OP_PSLLQ],
  [Mnemonic.Psrlw, ops.OP_PSRLW],
  [Mnemonic.Psrld, ops.OP_PSRLD],
  [Mnemonic.Psrlq, ops.OP_PSRLQ],
  [Mnemonic.Psraw, ops.OP_PSRAW],
  [Mnemonic.Psrad, ops.OP_PSRAD],
  [Mnemonic.Pslldq, ops.OP_PSLLDQ],
  [Mnemonic.Psrldq, ops.OP_PSRLDQ],
  [Mnemonic.Packsswb, ops.OP_PACKSSWB],
  [Mnemonic.Packssdw, ops.OP_PACKSSDW],
  [Mnemonic.Packuswb, ops.OP_PACKUSWB],
  [Mnemonic.Punpcklbw, ops.OP_PUNPCKLBW],
  [Mnemonic.Punpcklwd, ops.OP_PUNPCKLWD],
  [Mnemonic.Punpckldq, ops.OP_PUNPCKLDQ],
  [Mnemonic.Punpcklqdq, ops.OP_PUNPCKLQDQ],
  [Mnemonic.Punpckhbw, ops.OP_PUNPCKHBW],
  [Mnemonic.Punpckhwd, ops.OP_PUNPCKHWD],
  [Mnemonic.Punpckhdq, ops.OP_PUNPCKHDQ],
  [Mnemonic.Punpckhqdq, ops.OP_PUNPCKHQDQ],
  [Mnemonic.Pshufd, ops.OP_PSHUFD],
  [Mnemonic.Pshuflw, ops.OP_PSHUFLW],
  [Mnemonic.Pshufhw, ops.OP_PSHUFHW],
  [Mnemonic.Shufps, ops.OP_SHUFPS],
  [Mnemonic.Shufpd, ops.OP_SHUFPD],
];

function lowering(op: number): Lowering {
  return (instruction, writer) => {
    const { op0Register } = instruction;
    if (op0Register >= Register.MM0 && op0Register <= Register.MM7) return 'unsupported';
    emitSource(instruction, writer, op, registerAddress(op0Register), control(instruction), 16 | ops.SSE_ALIGNED);
    return 'next';
  };
}

export const integers = OPERATIONS.map(([mnemonic, op]) => [mnemonic, lowering(op)] as const);
