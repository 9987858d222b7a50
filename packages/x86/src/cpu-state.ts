import * as layout from './layout.ts';

/**
 * A segment register as KVM has it (struct kvm_segment): limit in bytes, flags 0 or 1. Made to fit a port's own type of the
 * same members.
 */
export interface Segment {
  base: bigint;
  limit: number;
  selector: number;
  type: number;
  present: number;
  dpl: number;
  db: number;
  s: number;
  l: number;
  g: number;
  avl: number;
  unusable: number;
}

export interface DescriptorTable {
  base: bigint;
  limit: number;
}

/** General registers in the encoding's order: indexes of `CpuState.register`. */
export const GENERAL_REGISTERS = [
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

/** Registers that are one 64-bit word of the state block. */
export type WordName =
  | (typeof GENERAL_REGISTERS)[number]
  | 'rip'
  | 'cr0'
  | 'cr2'
  | 'cr3'
  | 'cr4'
  | 'cr8'
  | 'efer'
  | 'star'
  | 'lstar'
  | 'cstar'
  | 'sfmask'
  | 'kernelGsBase'
  | 'sysenterCs'
  | 'sysenterEsp'
  | 'sysenterEip'
  | 'tscAux'
  | 'pat'
  | 'dr0'
  | 'dr1'
  | 'dr2'
  | 'dr3'
  | 'dr6'
  | 'dr7'
  | 'cBitMask'
  | 'pteReservedMask'
  | 'tscOffset'
  | 'tscRate'
  | 'random';

const words: Readonly<Record<WordName, number>> = {
  ...(Object.fromEntries(GENERAL_REGISTERS.map((name, index) => [name, layout.REGS + 8 * index])) as Record<
    (typeof GENERAL_REGISTERS)[number],
    number
  >),
  rip: layout.RIP,
  cr0: layout.CR0,
  cr2: layout.CR2,
  cr3: layout.CR3,
  cr4: layout.CR4,
  cr8: layout.CR8,
  efer: layout.EFER,
  star: layout.STAR,
  lstar: layout.LSTAR,
  cstar: layout.CSTAR,
  sfmask: layout.SFMASK,
  kernelGsBase: layout.KERNEL_GS_BASE,
  sysenterCs: layout.SYSENTER_CS,
  sysenterEsp: layout.SYSENTER_ESP,
  sysenterEip: layout.SYSENTER_EIP,
  tscAux: layout.TSC_AUX,
  pat: layout.PAT,
  dr0: layout.DR,
  dr1: layout.DR + 8,
  dr2: layout.DR + 16,
  dr3: layout.DR + 24,
  dr6: layout.DR + 32,
  dr7: layout.DR + 40,
  cBitMask: layout.C_BIT_MASK,
  pteReservedMask: layout.PTE_RESERVED_MASK,
  tscOffset: layout.TSC_OFFSET,
  tscRate: layout.TSC_RATE,
  random: layout.RANDOM,
};

const segments = {
  es: layout.ES,
  cs: layout.CS,
  ss: layout.SS,
  ds: layout.DS,
  fs: layout.FS,
  gs: layout.GS,
  ldt: layout.LDTR,
  tr: layout.TR,
} as const;

export type SegmentName = keyof typeof segments;

const tables = {
  gdt: [layout.GDT_BASE, layout.GDT_LIMIT],
  idt: [layout.IDT_BASE, layout.IDT_LIMIT],
} as const;

export type TableName = keyof typeof tables;

/** What `CpuState` needs of the engine: flags are lazy, and derived state follows what is written. */
export interface CpuCore {
  readFlags(): number;
  writeFlags(value: number): void;
  stateLoaded(): void;
}

/** Bytes of `CpuState.save`. */
export const STATE_BYTES: number = layout.STATE_END - layout.REGS;

const UNUSABLE = 1 << 16;

/**
 * The virtual processor that is on the core. Writing CR0, CR3, CR4, EFER, a segment or a table takes effect with `commit`,
 * as several of them change together.
 */
export class CpuState {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #core: CpuCore;

  constructor(memory: WebAssembly.Memory, core: CpuCore) {
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer, layout.REGS, STATE_BYTES);
    this.#core = core;
  }

  get(name: WordName): bigint {
    return this.#view.getBigUint64(words[name], true);
  }

  /** Takes the value's low 64 bits, without any check. */
  set(name: WordName, value: bigint): void {
    this.#view.setBigUint64(words[name], BigInt.asUintN(64, value), true);
  }

  /** The low 32 bits of a word, and its upper half. */
  low(name: WordName): number {
    return this.#view.getUint32(words[name], true);
  }

  high(name: WordName): number {
    return this.#view.getUint32(words[name] + 4, true);
  }

  setHalves(name: WordName, low: number, high: number): void {
    this.#view.setUint32(words[name], low, true);
    this.#view.setUint32(words[name] + 4, high, true);
  }

  /** General register `index` in the encoding's order. */
  register(index: number): bigint {
    return this.#view.getBigUint64(layout.REGS + 8 * (index & 15), true);
  }

  get rflags(): bigint {
    return BigInt(this.#core.readFlags() >>> 0);
  }

  /** Bits 63:32 are reserved and dropped, bit 1 is always set. */
  set rflags(value: bigint) {
    this.#core.writeFlags(Number(BigInt.asUintN(32, value)) | 2);
  }

  segment(name: SegmentName): Segment {
    const index = segments[name];
    const rights = this.#view.getUint32(layout.SEG_RIGHTS + 4 * index, true);
    return {
      base: this.#view.getBigUint64(layout.SEG_BASE + 8 * index, true),
      limit: this.#view.getUint32(layout.SEG_LIMIT + 4 * index, true),
      selector: this.#view.getUint32(layout.SEG_SELECTOR + 4 * index, true),
      type: rights & 15,
      s: (rights >> 4) & 1,
      dpl: (rights >> 5) & 3,
      present: (rights >> 7) & 1,
      avl: (rights >> 12) & 1,
      l: (rights >> 13) & 1,
      db: (rights >> 14) & 1,
      g: (rights >> 15) & 1,
      unusable: (rights >> 16) & 1,
    };
  }

  setSegment(name: SegmentName, segment: Readonly<Segment>): void {
    const index = segments[name];
    const rights =
      (segment.type & 15) |
      (flag(segment.s) << 4) |
      ((segment.dpl & 3) << 5) |
      (flag(segment.present) << 7) |
      (flag(segment.avl) << 12) |
      (flag(segment.l) << 13) |
      (flag(segment.db) << 14) |
      (flag(segment.g) << 15) |
      (segment.unusable === 0 ? 0 : UNUSABLE);
    this.#view.setBigUint64(layout.SEG_BASE + 8 * index, BigInt.asUintN(64, segment.base), true);
    this.#view.setUint32(layout.SEG_LIMIT + 4 * index, segment.limit, true);
    this.#view.setUint32(layout.SEG_SELECTOR + 4 * index, segment.selector & 0xffff, true);
    this.#view.setUint32(layout.SEG_RIGHTS + 4 * index, rights, true);
  }

  table(name: TableName): DescriptorTable {
    const [base, limit] = tables[name];
    return { base: this.#view.getBigUint64(base, true), limit: this.#view.getUint32(limit, true) };
  }

  setTable(name: TableName, { base, limit }: Readonly<DescriptorTable>): void {
    const [baseAt, limitAt] = tables[name];
    this.#view.setBigUint64(baseAt, BigInt.asUintN(64, base), true);
    this.#view.setUint32(limitAt, limit & 0xffff, true);
  }

  /** 0 most privileged, 3 user. */
  get cpl(): number {
    return this.#view.getUint32(layout.CPL, true);
  }

  /** Bits of code: 16, 32 or 64. */
  get codeBits(): number {
    return this.#view.getUint32(layout.CODE_BITS, true);
  }

  /** Whether an external interrupt may be delivered now: IF is set, and no shadow of STI or MOV SS holds. */
  get interruptible(): boolean {
    return (this.#core.readFlags() & 0x200) !== 0 && this.#view.getUint32(layout.IRQ_SHADOW, true) === 0;
  }

  /** One of the state block's 32-bit words, by its address in layout.ts (IRQ_SHADOW, NMI_BLOCKED, …). */
  word(address: number): number {
    return this.#view.getUint32(address, true);
  }

  setWord(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }

  /** CPL, bitness and stack width are derived again, and what was learned of mappings is dropped. */
  commit(): void {
    this.#core.stateLoaded();
  }

  /** The whole state block, to be given to `load` when this virtual processor runs again. */
  save(into: Uint8Array = new Uint8Array(STATE_BYTES)): Uint8Array {
    into.set(this.#bytes);
    return into;
  }

  /** Puts a virtual processor on the core. */
  load(saved: Uint8Array): void {
    if (saved.length !== STATE_BYTES)
      throw new RangeError(`a processor's state has ${STATE_BYTES} bytes, not ${saved.length}`);
    this.#bytes.set(saved);
    this.commit();
  }

  /**
   * The state behind RESET (AMD64 APM volume 2, table 14-1): real mode at F000:FFF0, MXCSR and x87 as FNINIT leaves them but for the
   * control word 0x40. The masks of the C bit and of reserved bits stay the owner's to set.
   */
  reset(): void {
    this.#bytes.fill(0);
    const real = { limit: 0xffff, type: 3, present: 1, dpl: 0, db: 0, s: 1, l: 0, g: 0, avl: 0, unusable: 0 };
    for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const)
      this.setSegment(name, { ...real, base: 0n, selector: 0 });
    this.setSegment('cs', { ...real, base: 0xffff_0000n, selector: 0xf000, type: 11 });
    this.setSegment('ldt', { ...real, base: 0n, selector: 0, type: 2, s: 0 });
    this.setSegment('tr', { ...real, base: 0n, selector: 0, type: 11, s: 0 });
    this.setTable('gdt', { base: 0n, limit: 0xffff });
    this.setTable('idt', { base: 0n, limit: 0xffff });
    this.set('rip', 0xfff0n);
    this.set('rdx', 0x600n);
    this.set('cr0', 0x6000_0010n);
    this.set('dr6', 0xffff_0ff0n);
    this.set('dr7', 0x400n);
    this.set('pat', 0x0007_0406_0007_0406n);
    this.rflags = 2n;
    this.#view.setUint32(layout.MXCSR, 0x1f80, true);
    this.#view.setUint16(layout.FPU_CONTROL, 0x40, true);
    this.commit();
  }
}

function flag(value: number): number {
  return value === 0 ? 0 : 1;
}
