import { type Code, littleEndian } from './bytes.ts';

/** The 64-bit instructions that long-mode guests are made of. */
export const asm64 = {
  hlt: [0xf4],
  spin: [0xeb, 0xfe],
  vmcall: [0x0f, 0x01, 0xc1],
  vmmcall: [0x0f, 0x01, 0xd9],
  outAl: [0xee],
  outEax: [0xef],
  movRax: (value: number | bigint): Code => [0x48, 0xb8, ...littleEndian(value, 8)],
  movRbx: (value: number | bigint): Code => [0x48, 0xbb, ...littleEndian(value, 8)],
  movRcx: (value: number | bigint): Code => [0x48, 0xb9, ...littleEndian(value, 8)],
  movRdx: (value: number | bigint): Code => [0x48, 0xba, ...littleEndian(value, 8)],
  movRsi: (value: number | bigint): Code => [0x48, 0xbe, ...littleEndian(value, 8)],
  movRdi: (value: number | bigint): Code => [0x48, 0xbf, ...littleEndian(value, 8)],
  /** [address] ← RAX, by a 64-bit absolute address. */
  storeRax: (address: number | bigint): Code => [0x48, 0xa3, ...littleEndian(address, 8)],
  /** RAX ← [address]. */
  loadRax: (address: number | bigint): Code => [0x48, 0xa1, ...littleEndian(address, 8)],
  storeAl: (address: number | bigint): Code => [0xa2, ...littleEndian(address, 8)],
  loadAl: (address: number | bigint): Code => [0xa0, ...littleEndian(address, 8)],
  /** [RDI] ← RAX and RAX ← [RDI]. */
  storeRaxAtRdi: [0x48, 0x89, 0x07],
  loadRaxFromRdi: [0x48, 0x8b, 0x07],
  /** [RDI] ← XMM0 (movups), 16 bytes. */
  storeXmm0AtRdi: [0x0f, 0x11, 0x07],
} as const;
