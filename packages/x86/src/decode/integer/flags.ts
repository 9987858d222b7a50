import { Mnemonic } from 'iced-x86';
import * as layout from '../../layout.ts';
import * as ops from '../../ops/integer.ts';
import type { Lowering, LoweringTable } from '../lower.ts';

const flag =
  (kind: number): Lowering =>
  (_, writer) => {
    writer.emit(ops.OP_FLAGS, layout.ZERO, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, kind);
    return 'next';
  };

const nothing: Lowering = (_, writer) => {
  writer.emit(ops.OP_NOP);
  return 'next';
};

const undefinedInstruction: Lowering = (_, writer) => {
  writer.emit(ops.OP_UD);
  return 'end';
};

/** Hints and fences do nothing on a core that does one thing after the other. */
const NOTHING = [
  Mnemonic.Nop,
  Mnemonic.Reservednop,
  Mnemonic.Endbr64,
  Mnemonic.Endbr32,
  Mnemonic.Pause,
  Mnemonic.Lfence,
  Mnemonic.Mfence,
  Mnemonic.Sfence,
  Mnemonic.Clflush,
  Mnemonic.Prefetch,
  Mnemonic.Prefetchw,
  Mnemonic.Prefetchwt1,
  Mnemonic.Prefetchnta,
  Mnemonic.Prefetcht0,
  Mnemonic.Prefetcht1,
  Mnemonic.Prefetcht2,
];

export const flags: LoweringTable = new Map<Mnemonic, Lowering>([
  [Mnemonic.Lahf, flag(0)],
  [Mnemonic.Sahf, flag(1)],
  [Mnemonic.Clc, flag(2)],
  [Mnemonic.Stc, flag(3)],
  [Mnemonic.Cmc, flag(4)],
  [Mnemonic.Cld, flag(5)],
  [Mnemonic.Std, flag(6)],
  [Mnemonic.Ud0, undefinedInstruction],
  [Mnemonic.Ud1, undefinedInstruction],
  [Mnemonic.Ud2, undefinedInstruction],
  ...NOTHING.map((mnemonic) => [mnemonic, nothing] as const),
]);
