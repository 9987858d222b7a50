import { type Instruction, OpKind, Register } from 'iced-x86';
import * as layout from '../layout.ts';
import { OP_EA, OP_INDEX, OP_MOV, RI, S64, takesIndex } from '../ops/integer.ts';
import type { TraceWriter } from './trace-writer.ts';

// IMM of an OP_EA micro-op: assembly/address.ts says the same.
const EA_MASK_16 = 0x10;
const EA_MASK_32 = 0x20;
const EA_WRAP_32 = 0x40;
const EA_NO_BASE = 0x80;

/** log2 of bytes. */
export type Size = 0 | 1 | 2 | 3;

/** By iced's register number: address in the state block, 0 where it isn't a general register. */
const addresses: number[] = [];
const sizes: number[] = [];
/** By iced's register number: the segment's. */
const segments: number[] = [];

for (let i = 0; i < 16; i++) {
  const at = layout.REGS + 8 * i;
  for (const [first, size] of [
    [Register.AX, 1],
    [Register.EAX, 2],
    [Register.RAX, 3],
  ] as const) {
    addresses[first + i] = at;
    sizes[first + i] = size;
  }
}
// iced numbers AL CL DL BL AH CH DH BH SPL BPL SIL DIL R8L…R15L.
for (let i = 0; i < 20; i++) {
  const high = i >= 4 && i < 8;
  addresses[Register.AL + i] = layout.REGS + (high ? 8 * (i - 4) + 1 : i < 4 ? 8 * i : 8 * (i - 4));
  sizes[Register.AL + i] = 0;
}
for (let i = 0; i < 16; i++) {
  addresses[Register.XMM0 + i] = layout.XMM + 16 * i;
  sizes[Register.XMM0 + i] = 4;
}
// MMn is physical register n of the x87, whatever TOP is.
for (let i = 0; i < 8; i++) {
  addresses[Register.MM0 + i] = layout.FPU_REGS + 16 * i;
  sizes[Register.MM0 + i] = 3;
}
for (const [register, segment] of [
  [Register.ES, layout.ES],
  [Register.CS, layout.CS],
  [Register.SS, layout.SS],
  [Register.DS, layout.DS],
  [Register.FS, layout.FS],
  [Register.GS, layout.GS],
] as const)
  segments[register] = segment;

/** State address of a general, MMX or XMM register; throws for any other. */
export function registerAddress(register: Register): number {
  const at = addresses[register];
  if (at === undefined) throw new RangeError(`register ${register} has no address of its own`);
  return at;
}

/** log2 of a general register's bytes. */
export function registerSize(register: Register): Size {
  const size = sizes[register];
  if (size === undefined || size > 3 || register >= Register.XMM0)
    throw new RangeError(`register ${register} is no general register`);
  return size as Size;
}

/** State address of a register operand. */
export function registerOperand(instruction: Instruction, operand: number): number {
  return registerAddress(instruction.opRegister(operand));
}

/** layout.ES … layout.GS of the memory operand, with its prefix or default. */
export function memorySegment(instruction: Instruction): number {
  return segments[instruction.memorySegment] ?? layout.DS;
}

const SIGNED_BYTES = new Set([OpKind.Immediate8to16, OpKind.Immediate8to32, OpKind.Immediate8to64]);

/** The low 32 bits of an immediate, sign-extended from its encoding; of a 64-bit one, `immediateHigh` has the rest. */
export function immediate(instruction: Instruction, operand: number): number {
  const kind = instruction.opKind(operand);
  if (SIGNED_BYTES.has(kind)) return (instruction.immediate8 << 24) >> 24;
  if (kind === OpKind.Immediate8) return instruction.immediate8;
  if (kind === OpKind.Immediate32 || kind === OpKind.Immediate32to64) return instruction.immediate32 | 0;
  if (kind === OpKind.Immediate16) return instruction.immediate16;
  if (kind === OpKind.Immediate64) return Number(BigInt.asIntN(32, instruction.immediate64));
  if (kind === OpKind.Immediate8_2nd) return instruction.immediate8_2nd;
  throw new RangeError(`operand ${operand} is no immediate`);
}

/** The high 32 bits that go with `immediate`. */
export function immediateHigh(instruction: Instruction, operand: number): number {
  if (instruction.opKind(operand) === OpKind.Immediate64)
    return Number(BigInt.asIntN(32, instruction.immediate64 >> 32n));
  return immediate(instruction, operand) >> 31;
}

const NO_REGISTER = layout.ZERO;

/**
 * Writes a micro-op with the instruction's memory operand as [base] + ([index] << scale) + disp; where those don't say
 * the linear address alone (segment bases, 16- and 32-bit address sizes), an OP_EA micro-op goes in front.
 */
export function emitMemory(
  writer: TraceWriter,
  instruction: Instruction,
  op: number,
  a: number = NO_REGISTER,
  b: number = NO_REGISTER,
  immLow = 0,
  immHigh: number = immLow >> 31,
): void {
  const base = instruction.memoryBase;
  const index = instruction.memoryIndex;
  const scale = index === Register.None ? 0 : 31 - Math.clz32(instruction.memoryIndexScale);
  // memoryDisplacement would be a BigInt: its low half is what this getter reads.
  const disp = instruction.nearBranch32 | 0;
  if (base === Register.RIP || base === Register.EIP) {
    // Decoded with IP = offset in the page, so that disp counts from the page already.
    const segment = memorySegment(instruction);
    const direct = base === Register.RIP;
    if (direct && segment < layout.FS) writer.emit(op, a, b, layout.PAGE_BASE, NO_REGISTER, 0, disp, immLow, immHigh);
    else if (direct)
      emitIndexed(writer, op, a, b, layout.PAGE_BASE, layout.SEG_BASE + 8 * segment, 0, disp, immLow, immHigh);
    else {
      writer.emit(OP_EA, layout.TMP_EA, NO_REGISTER, layout.PAGE_BASE, NO_REGISTER, 0, disp, how(writer, segment, 2));
      writer.emit(op, a, b, layout.TMP_EA, NO_REGISTER, 0, 0, immLow, immHigh);
    }
    return;
  }
  const baseAt = base === Register.None ? NO_REGISTER : registerAddress(base);
  const indexAt = index === Register.None ? NO_REGISTER : registerAddress(index);
  const size = addressSize(instruction, writer.bits);
  const segment = memorySegment(instruction);
  if (writer.bits === 64 && size === 3) {
    if (base === Register.None && instruction.memoryDisplSize === 8 && farAway(instruction)) {
      const wide = BigInt.asIntN(64, instruction.memoryDisplacement);
      const [low, high] = [Number(BigInt.asIntN(32, wide)), Number(wide >> 32n)];
      writer.emit(OP_MOV + RI + S64, layout.TMP_EA, NO_REGISTER, NO_REGISTER, NO_REGISTER, 0, 0, low, high);
      emitIndexed(writer, op, a, b, layout.TMP_EA, indexOf(segment), 0, 0, immLow, immHigh);
      return;
    }
    if (segment < layout.FS) {
      emitIndexed(writer, op, a, b, baseAt, indexAt, scale, disp, immLow, immHigh);
      return;
    }
    if (index === Register.None) {
      emitIndexed(writer, op, a, b, baseAt, indexOf(segment), 0, disp, immLow, immHigh);
      return;
    }
  }
  writer.emit(OP_EA, layout.TMP_EA, NO_REGISTER, baseAt, indexAt, scale, disp, how(writer, segment, size));
  writer.emit(op, a, b, layout.TMP_EA, NO_REGISTER, 0, 0, immLow, immHigh);
}

/** A micro-op with base and index, or two where it takes a base only. */
function emitIndexed(
  writer: TraceWriter,
  op: number,
  a: number,
  b: number,
  base: number,
  index: number,
  scale: number,
  disp: number,
  immLow: number,
  immHigh: number,
): void {
  if (index === NO_REGISTER || takesIndex(op)) writer.emit(op, a, b, base, index, scale, disp, immLow, immHigh);
  else if (base === NO_REGISTER && scale === 0) writer.emit(op, a, b, index, NO_REGISTER, 0, disp, immLow, immHigh);
  else {
    writer.emit(OP_INDEX, layout.TMP_EA, NO_REGISTER, base, index, scale, disp);
    writer.emit(op, a, b, layout.TMP_EA, NO_REGISTER, 0, 0, immLow, immHigh);
  }
}

/** Writes a micro-op whose operand is the offset itself, without a segment's base: LEA. */
export function emitOffset(writer: TraceWriter, instruction: Instruction, op: number, a: number): void {
  const base = instruction.memoryBase;
  const index = instruction.memoryIndex;
  const scale = index === Register.None ? 0 : 31 - Math.clz32(instruction.memoryIndexScale);
  const disp = instruction.nearBranch32 | 0;
  const ip = base === Register.RIP || base === Register.EIP;
  const baseAt = ip ? layout.PAGE_BASE : base === Register.None ? NO_REGISTER : registerAddress(base);
  const indexAt = index === Register.None ? NO_REGISTER : registerAddress(index);
  const size = addressSize(instruction, writer.bits);
  if (size === 3) writer.emit(op, a, NO_REGISTER, baseAt, indexAt, scale, disp);
  else {
    const mask = EA_NO_BASE | (size === 1 ? EA_MASK_16 : EA_MASK_32);
    writer.emit(OP_EA, layout.TMP_EA, NO_REGISTER, baseAt, indexAt, scale, disp, mask);
    writer.emit(op, a, NO_REGISTER, layout.TMP_EA);
  }
}

/** log2 of the address size in bytes, of an instruction with a ModRM or absolute memory operand. */
export function addressSize(instruction: Instruction, bits: number): Size {
  const register = instruction.memoryBase === Register.None ? instruction.memoryIndex : instruction.memoryBase;
  if (register === Register.RIP) return 3;
  if (register === Register.EIP) return 2;
  if (register !== Register.None) return registerSize(register);
  switch (instruction.memoryDisplSize) {
    case 2:
      return 1;
    case 4:
      return 2;
    case 8:
      return 3;
    default:
      return bits === 64 ? 3 : bits === 32 ? 2 : 1;
  }
}

/** IMM of an OP_EA micro-op for a segment and an address size. */
function how(writer: TraceWriter, segment: number, size: Size): number {
  const mask = size === 1 ? EA_MASK_16 : size === 2 ? EA_MASK_32 : 0;
  if (writer.bits !== 64) return segment | mask | EA_WRAP_32;
  return segment < layout.FS ? mask | EA_NO_BASE : segment | mask;
}

/** In 64-bit mode FS and GS have bases: they stand in the index's place where there is no index. */
function indexOf(segment: number): number {
  return segment < layout.FS ? NO_REGISTER : layout.SEG_BASE + 8 * segment;
}

/** Whether an absolute address is none that a sign-extended displacement reaches. */
function farAway(instruction: Instruction): boolean {
  const wide = BigInt.asIntN(64, instruction.memoryDisplacement);
  return wide !== BigInt.asIntN(32, wide);
}
