/** A processor's registers, as every machine that is stepped gives and takes them. Tooling: BigInt where 64 bits are. */

/** General registers by their number in encodings. */
export const GPR_NAMES = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

/** x87 and MMX, as FXSAVE64 writes them. */
export interface X87Registers {
  readonly control: number;
  readonly status: number;
  /** One bit a register: 1 is not empty. */
  readonly tag: number;
  /** ST0…ST7, 10 bytes each. */
  readonly registers: readonly Uint8Array[];
}

export interface RegisterFile {
  /** 16 general registers, in the order of GPR_NAMES. */
  readonly gpr: BigUint64Array;
  readonly rip: bigint;
  readonly rflags: number;
  /** 16 × 16 bytes. */
  readonly xmm: Uint8Array;
  readonly mxcsr: number;
  readonly x87: X87Registers;
  /** Selectors in the order of SEGMENT_NAMES. */
  readonly selectors: Uint16Array;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  readonly kernelGsBase: bigint;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly cr8: bigint;
  readonly efer: bigint;
}

/** After reset of the vector and x87 units, all else zero but RFLAGS' fixed bit. */
export function emptyRegisters(): RegisterFile {
  return {
    gpr: new BigUint64Array(16),
    rip: 0n,
    rflags: 2,
    xmm: new Uint8Array(256),
    mxcsr: 0x1f80,
    x87: { control: 0x37f, status: 0, tag: 0, registers: Array.from({ length: 8 }, () => new Uint8Array(10)) },
    selectors: new Uint16Array(6),
    fsBase: 0n,
    gsBase: 0n,
    kernelGsBase: 0n,
    cr0: 0n,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
  };
}

/** A segment as a descriptor's load leaves it. */
export interface SegmentState {
  readonly selector: number;
  readonly base: bigint;
  /** In bytes, scaled by G. */
  readonly limit: number;
  /** Bits 23:8 of the descriptor's upper half: type, S, DPL, P, AVL, L, D/B, G. */
  readonly flags: number;
}

/** What RegisterFile leaves out: the hidden parts of segments, and the descriptor tables. */
export interface SystemRegisters {
  readonly segments: Readonly<Record<(typeof SEGMENT_NAMES)[number] | 'ldt' | 'tr', SegmentState>>;
  readonly gdt: { readonly base: bigint; readonly limit: number };
  readonly idt: { readonly base: bigint; readonly limit: number };
}
