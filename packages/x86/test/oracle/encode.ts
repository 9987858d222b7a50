/**
 * A small encoder over the rows of forms/: it also makes what no assembler emits (redundant prefixes and SIB bytes,
 * operand sizes through either prefix, long displacements), which an engine must take all the same.
 */
import { undefinedBesides } from './flags.ts';
import type { Form, OperandSize } from './forms/form.ts';

/** A memory operand. Registers by number, -1 for none. */
export interface MemoryOperand {
  readonly base: number;
  readonly index: number;
  /** log2 of the factor: 0…3. */
  readonly scale: number;
  readonly displacement: number;
  readonly displacementBytes: 0 | 1 | 4;
  /** RIP-relative to this linear address, in place of everything above. */
  readonly ripTarget?: number;
  /** A 67 prefix. */
  readonly address32: boolean;
}

/** Byte registers 16…19 are AH, CH, DH, BH; 4…7 are SPL, BPL, SIL, DIL. */
export interface Operands {
  readonly size: OperandSize;
  readonly reg: number;
  readonly rm: number | MemoryOperand;
  /** Low and high half of an immediate. */
  readonly immediate: readonly [number, number];
  readonly lock: boolean;
  /** 0, 0xf2 or 0xf3 before a string instruction. */
  readonly rep: number;
}

/** What is filled in when the sequence's place is known. */
export type Fix =
  | { readonly kind: 'address'; readonly position: number; readonly target: number }
  | { readonly kind: 'label'; readonly position: number; readonly bytes: 1 | 4; readonly label: Label };

/** The start of an atom of the sequence (one past the last: its end), or of an instruction of the same atom. */
export type Label =
  | { readonly kind: 'atom'; readonly atom: number }
  | { readonly kind: 'instruction'; readonly instruction: number };

export interface Instruction {
  readonly bytes: Uint8Array;
  readonly fix: Fix | undefined;
  /** Instructions with the same key treat the flags alike. */
  readonly flagsKey: number;
  /** Flags may stay as they are, by a count of zero. */
  readonly conditional: boolean;
  /** Flags that flags.ts' own table leaves undefined. */
  readonly alsoUndefined: number;
  readonly flow: Flow;
}

/** Where execution goes on: the next instruction, also the fix's label, only there, at a label without a fix, or unknown. */
export type Flow = 'next' | 'branch' | 'jump' | { readonly to: Label };

/** Whether `reg` can only be encoded without a REX prefix. */
export function isHighByte(register: number): boolean {
  return register >= 16;
}

export function encode(form: Form, operands: Operands): Instruction {
  const { size, rm } = operands;
  const memory = typeof rm === 'number' ? undefined : rm;
  const out: number[] = [];
  if (operands.lock) out.push(0xf0);
  if (form.sizes.length > 1 && size === 16) out.push(0x66);
  if (memory?.address32 === true) out.push(0x67);
  if (operands.rep !== 0) out.push(operands.rep);
  if (form.prefix !== 0) out.push(form.prefix);

  const regField = form.modrm === 8 || form.opcodeRegister ? operands.reg : form.modrm;
  const byteReg = size === 8 && form.reg === 'gpr' && (form.modrm === 8 || form.opcodeRegister);
  const byteRm =
    memory === undefined && form.rmClass === 'gpr' && (form.rmSize === 8 || (form.rmSize === 0 && size === 8));
  const rmNumber = memory === undefined && typeof rm === 'number' ? rm : 0;
  let rex = form.rexW || (size === 64 && !form.stackSize && form.sizes.length > 1) ? 8 : 0;
  if (form.opcodeRegister) rex |= extension(regField, 1);
  else if (form.modrm === 8) rex |= extension(regField, 4);
  if (form.modrm >= 0 && memory === undefined) rex |= extension(rmNumber, 1);
  if (memory !== undefined && memory.ripTarget === undefined)
    rex |= (memory.base > 7 ? 1 : 0) | (memory.index > 7 ? 2 : 0);
  const forced = (byteReg && needsRex(regField)) || (form.modrm >= 0 && byteRm && needsRex(rmNumber));
  if (rex !== 0 || forced) out.push(0x40 | rex);

  out.push(...form.opcode);
  if (form.opcodeRegister) out[out.length - 1] = (form.opcode.at(-1) ?? 0) | (regField & 7);
  let fix: Fix | undefined;
  if (form.modrm >= 0) {
    const reg = (isHighByte(regField) ? regField - 12 : regField) & 7;
    if (memory === undefined) out.push(0xc0 | (reg << 3) | ((isHighByte(rmNumber) ? rmNumber - 12 : rmNumber) & 7));
    else fix = pushMemory(out, reg, memory);
  }
  const immediateBytes = form.moffs ? (memory?.address32 === true ? 4 : 8) : bytesOfImmediate(form, size);
  const [low, high] = form.moffs ? [memory?.displacement ?? 0, 0] : operands.immediate;
  for (let i = 0; i < immediateBytes; i++) out.push(((i < 4 ? low : high) >>> (8 * (i & 3))) & 0xff);

  const shiftCount = form.family === 'shift' && form.immediate === 'ib' ? low & 63 : 0;
  const kind = operands.rep === 0 ? 0 : operands.rep - 0xf1;
  return {
    bytes: Uint8Array.from(out),
    fix,
    flagsKey: ((form.id * 4 + [8, 16, 32, 64].indexOf(size)) * 64 + shiftCount) * 4 + kind,
    conditional: form.cl || operands.rep !== 0,
    alsoUndefined: undefinedBesides(form, size, shiftCount),
    flow: 'next',
  };
}

function extension(register: number, bit: number): number {
  return register >= 8 && !isHighByte(register) ? bit : 0;
}

function needsRex(register: number): boolean {
  return register >= 4 && register <= 7;
}

function bytesOfImmediate(form: Form, size: OperandSize): number {
  switch (form.immediate) {
    case 'none':
      return 0;
    case 'ib':
    case 'i3':
      return 1;
    case 'iw':
      return 2;
    case 'iz':
      return size === 16 ? 2 : 4;
    case 'iv':
      return size / 8;
  }
}

/** ModRM, SIB and displacement (Intel SDM volume 2, tables 2-2 and 2-3). */
function pushMemory(out: number[], reg: number, memory: MemoryOperand): Fix | undefined {
  const { base, index, scale } = memory;
  if (memory.ripTarget !== undefined) {
    out.push((reg << 3) | 5, 0, 0, 0, 0);
    return { kind: 'address', position: out.length - 4, target: memory.ripTarget };
  }
  const noBase = base < 0;
  const bytes = noBase ? 4 : memory.displacementBytes === 0 && (base & 7) === 5 ? 1 : memory.displacementBytes;
  const mod = noBase || bytes === 0 ? 0 : bytes === 1 ? 1 : 2;
  if (noBase || index >= 0 || (base & 7) === 4) {
    out.push((mod << 6) | (reg << 3) | 4, (scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (noBase ? 5 : base & 7));
  } else {
    out.push((mod << 6) | (reg << 3) | (base & 7));
  }
  for (let i = 0; i < bytes; i++) out.push((memory.displacement >>> (8 * i)) & 0xff);
  return undefined;
}
