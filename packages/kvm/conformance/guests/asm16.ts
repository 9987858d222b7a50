import { type Code, littleEndian } from './bytes.ts';

/** The 16-bit instructions that real-mode guests are made of, each as a row: what it does, its bytes. */
export const asm16 = {
  hlt: [0xf4],
  cli: [0xfa],
  sti: [0xfb],
  /** Jumps to itself. */
  spin: [0xeb, 0xfe],
  iret: [0xcf],
  /** An instruction that every processor refuses (#UD). */
  ud2: [0x0f, 0x0b],
  int3: [0xcc],
  rdmsr: [0x0f, 0x32],
  wrmsr: [0x0f, 0x30],
  cpuid: [0x0f, 0xa2],
  inAl: [0xec],
  inAx: [0xed],
  inEax: [0x66, 0xed],
  outAl: [0xee],
  outAx: [0xef],
  outEax: [0x66, 0xef],
  repOutsb: [0xf3, 0x6e],
  repOutsw: [0xf3, 0x6f],
  repInsb: [0xf3, 0x6c],
  repInsw: [0xf3, 0x6d],
  repMovsb: [0xf3, 0xa4],
  movAl: (value: number): Code => [0xb0, value],
  movAx: (value: number): Code => [0xb8, ...littleEndian(value, 2)],
  movCx: (value: number): Code => [0xb9, ...littleEndian(value, 2)],
  movDx: (value: number): Code => [0xba, ...littleEndian(value, 2)],
  movSi: (value: number): Code => [0xbe, ...littleEndian(value, 2)],
  movDi: (value: number): Code => [0xbf, ...littleEndian(value, 2)],
  movEax: (value: number): Code => [0x66, 0xb8, ...littleEndian(value, 4)],
  movEcx: (value: number): Code => [0x66, 0xb9, ...littleEndian(value, 4)],
  movEdx: (value: number): Code => [0x66, 0xba, ...littleEndian(value, 4)],
  /** DS:offset ← AL, AX, EAX. */
  storeAl: (offset: number): Code => [0xa2, ...littleEndian(offset, 2)],
  storeAx: (offset: number): Code => [0xa3, ...littleEndian(offset, 2)],
  storeEax: (offset: number): Code => [0x66, 0xa3, ...littleEndian(offset, 2)],
  /** AL, AX, EAX ← DS:offset. */
  loadAl: (offset: number): Code => [0xa0, ...littleEndian(offset, 2)],
  loadAx: (offset: number): Code => [0xa1, ...littleEndian(offset, 2)],
  loadEax: (offset: number): Code => [0x66, 0xa1, ...littleEndian(offset, 2)],
  /** CS:offset ← AL, where CS is not execute-only (real mode). */
  storeAlCs: (offset: number): Code => [0x2e, 0xa2, ...littleEndian(offset, 2)],
  /** DS:offset (byte) += 1. */
  incByte: (offset: number): Code => [0xfe, 0x06, ...littleEndian(offset, 2)],
  /** SS-prefixed: SS:offset (byte) += 1. */
  incByteSs: (offset: number): Code => [0x36, 0xfe, 0x06, ...littleEndian(offset, 2)],
  lidt: (offset: number): Code => [0x0f, 0x01, 0x1e, ...littleEndian(offset, 2)],
  /** Jumps `distance` bytes from the end of this two-byte instruction. */
  jmpShort: (distance: number): Code => [0xeb, distance & 0xff],
  /** Far jump to segment:offset. */
  jmpFar: (segment: number, offset: number): Code => [0xea, ...littleEndian(offset, 2), ...littleEndian(segment, 2)],
  /** Loads a float from DS:offset: KVM's emulator doesn't know it. */
  fldDword: (offset: number): Code => [0xd9, 0x06, ...littleEndian(offset, 2)],
  /** AL to a port. */
  outImm8: (port: number): Code => [0xe6, port],
} as const;
