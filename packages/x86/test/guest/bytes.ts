/** Instructions as bytes. */
export type Code = readonly number[];

/** Little-endian bytes of a value's low `size` bytes. */
export function bytes(value: number | bigint, size: 1 | 2 | 4 | 8): Code {
  let rest = BigInt.asUintN(size * 8, BigInt(value));
  return Array.from({ length: size }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** Registers by their number in the encoding. */
const numbers = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7, r11: 11 } as const;
type Name = keyof typeof numbers;

function rex(wide: 0 | 8, reg: number, rm: number): number {
  return 0x40 | wide | ((reg >> 3) << 2) | (rm >> 3);
}

/** The 64-bit instructions that the tests' guests are made of. Memory operands are [rdi] unless said otherwise. */
export const asm = {
  nop: [0x90],
  hlt: [0xf4],
  cli: [0xfa],
  sti: [0xfb],
  ud2: [0x0f, 0x0b],
  int3: [0xcc],
  iretq: [0x48, 0xcf],
  lretq: [0x48, 0xcb],
  syscall: [0x0f, 0x05],
  sysretq: [0x48, 0x0f, 0x07],
  swapgs: [0x0f, 0x01, 0xf8],
  rdmsr: [0x0f, 0x32],
  wrmsr: [0x0f, 0x30],
  rdtsc: [0x0f, 0x31],
  cpuid: [0x0f, 0xa2],
  vmmcall: [0x0f, 0x01, 0xd9],
  pushfq: [0x9c],
  popfq: [0x9d],
  inAl: [0xec],
  outAl: [0xee],
  outEax: [0xef],
  repInsb: [0xf3, 0x6c],
  repOutsb: [0xf3, 0x6e],
  spin: [0xeb, 0xfe],
  int: (vector: number): Code => [0xcd, vector],
  mov: (to: Name, value: number | bigint): Code => [
    rex(8, 0, numbers[to]),
    0xb8 | (numbers[to] & 7),
    ...bytes(value, 8),
  ],
  push: (from: Name): Code => [rex(0, 0, numbers[from]), 0x50 | (numbers[from] & 7)],
  pop: (to: Name): Code => [rex(0, 0, numbers[to]), 0x58 | (numbers[to] & 7)],
  /** to ← [rdi], 8 bytes. */
  load: (to: Name): Code => [rex(8, numbers[to], 7), 0x8b, ((numbers[to] & 7) << 3) | 7],
  /** [rdi] ← from, 8 bytes. */
  store: (from: Name): Code => [rex(8, numbers[from], 7), 0x89, ((numbers[from] & 7) << 3) | 7],
  /** to ← gs:[0]. */
  loadGs: (to: Name): Code => [0x65, rex(8, numbers[to], 0), 0x8b, ((numbers[to] & 7) << 3) | 4, 0x25, ...bytes(0, 4)],
  jmpRdi: [0xff, 0xe7],
  toCr: (cr: number, from: Name): Code => [...crPrefix(cr), 0x0f, 0x22, 0xc0 | ((cr & 7) << 3) | numbers[from]],
  fromCr: (cr: number, to: Name): Code => [...crPrefix(cr), 0x0f, 0x20, 0xc0 | ((cr & 7) << 3) | numbers[to]],
  invlpgRdi: [0x0f, 0x01, 0x3f],
  lgdtRdi: [0x0f, 0x01, 0x17],
  lidtRdi: [0x0f, 0x01, 0x1f],
  sidtRdi: [0x0f, 0x01, 0x0f],
  ltrAx: [0x0f, 0x00, 0xd8],
  strEax: [0x0f, 0x00, 0xc8],
  movSsAx: [0x8e, 0xd0],
  movDsAx: [0x8e, 0xd8],
  movFsAx: [0x8e, 0xe0],
  movEaxDs: [0x8c, 0xd8],
  larEaxCx: [0x0f, 0x02, 0xc1],
  rdrandRax: [0x48, 0x0f, 0xc7, 0xf0],
} as const;

function crPrefix(cr: number): Code {
  return cr >= 8 ? [0x44] : [];
}
