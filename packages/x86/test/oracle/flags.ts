/**
 * Which flags each instruction leaves undefined. The rows come from iced's instruction info (rflagsRead, rflagsUndefined
 * and so on), which follows the manuals. undefinedBesides() adds what the manuals say in words only.
 */
import { Decoder, DecoderOptions, RflagsBits } from 'iced-x86';
import type { Instruction } from './encode.ts';
import type { Form, OperandSize } from './forms/form.ts';

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const DF = 0x400;
export const OF = 0x800;
/** The six that arithmetic sets. */
export const STATUS_FLAGS = CF | PF | AF | ZF | SF | OF;

/** Masks in RFLAGS' own layout. */
export interface FlagEffects {
  readonly read: number;
  /** Set to a value that the manuals define. */
  readonly defined: number;
  readonly undefined: number;
}

const BITS: readonly (readonly [RflagsBits, number])[] = [
  [RflagsBits.CF, CF],
  [RflagsBits.PF, PF],
  [RflagsBits.AF, AF],
  [RflagsBits.ZF, ZF],
  [RflagsBits.SF, SF],
  [RflagsBits.OF, OF],
  [RflagsBits.DF, DF],
];

/**
 * CF of SHL, SHR (and SAL) of 8 or 16 bits by as many or more (Intel SDM volume 2, SAL/SAR/SHL/SHR, flags affected).
 * A count in CL may be any.
 */
export function undefinedBesides(form: Form, size: OperandSize, count: number): number {
  if (form.family !== 'shift' || size > 16 || form.opcode[0] === 0x0f) return 0;
  const isShl = form.modrm === 4 || form.modrm === 5 || form.modrm === 6;
  return isShl && (form.cl || (count & 31) >= size) ? CF : 0;
}

const known = new Map<number, FlagEffects>();

/** Remembered by the instruction's key: iced is asked once for each kind. */
export function flagEffects(instruction: Instruction): FlagEffects {
  const found = known.get(instruction.flagsKey);
  if (found !== undefined) return found;
  const decoder = new Decoder(64, instruction.bytes, DecoderOptions.None);
  const decoded = decoder.decode();
  const unsure = flags(decoded.rflagsUndefined) | instruction.alsoUndefined;
  const written = flags(decoded.rflagsWritten | decoded.rflagsCleared | decoded.rflagsSet);
  const effects = { read: flags(decoded.rflagsRead), defined: written & ~unsure, undefined: unsure };
  decoded.free();
  decoder.free();
  known.set(instruction.flagsKey, effects);
  return effects;
}

function flags(bits: number): number {
  let out = 0;
  for (const [from, to] of BITS) if ((bits & from) !== 0) out |= to;
  return out;
}
