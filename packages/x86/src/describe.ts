import {
  Decoder,
  DecoderOptions,
  Formatter,
  FormatterSyntax,
  InstructionInfoFactory,
  MemorySizeExt,
  OpAccess,
  Register,
  RegisterExt,
  type UsedMemory,
} from 'iced-x86';
import type { CpuState, SegmentName } from './cpu-state.ts';

/** Memory that an instruction uses, as far as registers tell: not what a push of an interrupt or a table look-up adds. */
export interface MemoryUse {
  readonly linear: bigint;
  /** Bytes; of a repeated string instruction all of them, 4096 at most. */
  readonly size: number;
  readonly isRead: boolean;
  readonly isWrite: boolean;
}

/** An instruction for people, and what memory it is about to use. */
export interface DescribedInstruction {
  /** Intel syntax. */
  readonly text: string;
  readonly length: number;
  readonly memory: readonly MemoryUse[];
}

const MOST_BYTES = 4096;
const SEGMENTS = new Map<Register, SegmentName>([
  [Register.ES, 'es'],
  [Register.CS, 'cs'],
  [Register.SS, 'ss'],
  [Register.DS, 'ds'],
  [Register.FS, 'fs'],
  [Register.GS, 'gs'],
]);
const RCX = 1;

/** Describes the instruction that `code` begins with and the processor stands at; undefined where it is none. */
export function describeInstruction(code: Uint8Array, cpu: CpuState): DescribedInstruction | undefined {
  const decoder = new Decoder(cpu.codeBits, code, DecoderOptions.None);
  decoder.ip = cpu.get('rip');
  const instruction = decoder.decode();
  const formatter = new Formatter(FormatterSyntax.Intel);
  const factory = new InstructionInfoFactory();
  try {
    if (instruction.isInvalid) return undefined;
    const repeats = instruction.isStringInstruction && (instruction.hasRepPrefix || instruction.hasRepnePrefix);
    // The factory says no size of what is repeated.
    const rounds = repeats ? Math.min(Number(cpu.register(RCX)), MOST_BYTES) : 0;
    const repeated = Math.min(rounds * MemorySizeExt.size(instruction.memorySize), MOST_BYTES);
    const info = factory.info(instruction);
    const used = info.usedMemory();
    info.free();
    const memory = used.map((each: UsedMemory) => useOf(each, repeated, cpu));
    for (const each of used) each.free();
    return { text: formatter.format(instruction), length: instruction.length, memory };
  } finally {
    factory.free();
    formatter.free();
    instruction.free();
    decoder.free();
  }
}

function useOf(used: UsedMemory, repeated: number, cpu: CpuState): MemoryUse {
  const { access } = used;
  return {
    linear: linearOf(used, cpu),
    size: MemorySizeExt.size(used.memorySize) || repeated,
    isRead: access !== OpAccess.Write && access !== OpAccess.CondWrite && access !== OpAccess.NoMemAccess,
    isWrite:
      access === OpAccess.Write ||
      access === OpAccess.CondWrite ||
      access === OpAccess.ReadWrite ||
      access === OpAccess.ReadCondWrite,
  };
}

function linearOf({ base, index, scale, displacement, segment }: UsedMemory, cpu: CpuState): bigint {
  const offset = valueOf(base, cpu) + valueOf(index, cpu) * BigInt(scale) + displacement;
  const name = SEGMENTS.get(segment);
  if (cpu.codeBits !== 64) {
    const start = name === undefined ? 0n : cpu.segment(name).base;
    return BigInt.asUintN(32, start + BigInt.asUintN(32, offset));
  }
  const wide = base === Register.None || RegisterExt.size(base) === 8 ? offset : BigInt.asUintN(32, offset);
  const start = name === 'fs' || name === 'gs' ? cpu.segment(name).base : 0n;
  return BigInt.asUintN(64, start + wide);
}

function valueOf(register: Register, cpu: CpuState): bigint {
  if (register === Register.None || register === Register.RIP || register === Register.EIP) return 0n;
  const value = cpu.register(RegisterExt.number(register));
  return BigInt.asUintN(RegisterExt.size(register) * 8, value);
}
