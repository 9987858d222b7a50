/**
 * Where a test case lives, and how it is written down: the same for the host's own processor (native.c) and whatever
 * is compared with it. Linear addresses; below 2 GiB, so that every addressing form reaches them.
 */

/** 16 KiB that user mode reads and writes, not executable. Below and above it nothing is mapped. */
export const DATA_BASE = 0x1000_0000;
export const DATA_SIZE = 0x4000;

/** 8 KiB that user mode reads and executes, not writable. Bytes outside the sequence are 0xCC. */
export const CODE_BASE = 0x2000_0000;
export const CODE_SIZE = 0x2000;

/** First free byte above the stack that a case starts with: inside the data area, with room below and above. */
export const STACK_TOP = DATA_BASE + 0x3c00;

/** Patches and differences of data memory come in pieces of so many bytes. */
export const CHUNK = 16;

/** Byte offsets in a CPU state record; native.c's `struct state`. All fields little-endian. */
export const STATE = {
  bytes: 704,
  /** 16 × u64: rax rcx rdx rbx rsp rbp rsi rdi r8…r15, as encodings number them. */
  gpr: 0,
  /** u64 */
  rip: 128,
  /** u64 */
  rflags: 136,
  /** u32: exception vector, or one of the two below. */
  vector: 144,
  /** u32: its error code; 0 where there is none. */
  error: 148,
  /** u64: CR2 of a page fault, else 0. */
  address: 152,
  /** FXSAVE64 image of 512 bytes. */
  fx: 192,
} as const;

/** Byte offsets in a FXSAVE64 image (AMD APM volume 2, 11.4.4). */
export const FX = {
  control: 0,
  status: 2,
  tag: 4,
  opcode: 6,
  instructionPointer: 8,
  dataPointer: 16,
  mxcsr: 24,
  mxcsrMask: 28,
  /** 8 × 16 bytes, the value in the lower 10. */
  registers: 32,
  /** 16 × 16 bytes. */
  xmm: 160,
  /** Reserved and for software, up to 512. */
  rest: 416,
} as const;

/** `vector`: the sequence ran to its end. */
export const NO_VECTOR = 0xffff_ffff;
/** `vector`: the sequence did not end in the time it had. */
export const RUNAWAY = 0xffff_fffe;

/** Protocol of native.c. */
export const NATIVE = { magic: 0x524f_4e55, background: 0, run: 1, header: 16, buffer: 64 << 20 } as const;
