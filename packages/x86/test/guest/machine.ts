import { type CpuState, createHostMemory, Engine, type EngineHost, layout } from '../../src/index.ts';
import { bytes, type Code } from './bytes.ts';

/** Guest-physical map: everything below 2 MiB is mapped onto itself in pages of 4 KiB, so that a test can change one. */
export const RAM_BYTES = 0x40_0000;
export const GDT = 0x1000;
export const IDT = 0x2000;
export const TSS = 0x3000;
/** Where the interrupt handler of a vector lies: 16 bytes each, HLT unless a test puts something else there. */
export const HANDLERS = 0x4000;
export const PML4 = 0x1_0000;
export const PDPT = 0x1_1000;
export const PD = 0x1_2000;
export const PT = 0x1_3000;
export const CODE = 0x2_0000;
export const USER_CODE = 0x3_0000;
/** Three pages that tests unmap and remap. */
export const DATA = 0x4_0000;
export const STACK_TOP = 0x5_1000;
export const USER_STACK_TOP = 0x6_1000;
/** RSP0 of the TSS, and IST1. */
export const KERNEL_STACK_TOP = 0x7_1000;
export const IST_TOP = 0x8_1000;

export const KERNEL_CS = 0x08;
export const KERNEL_SS = 0x10;
export const USER_CS32 = 0x18;
export const USER_SS = 0x20;
export const USER_CS = 0x28;
export const CODE32 = 0x30;
export const DATA32 = 0x38;
export const CODE16 = 0x40;
export const TSS_SELECTOR = 0x50;

export const P = 1n;
export const W = 2n;
export const U = 4n;
export const A = 0x20n;
export const D = 0x40n;
export const PS = 0x80n;
export const G = 0x100n;
export const NX = 1n << 63n;

export interface Fill {
  readonly gfn: number;
  readonly access: number;
  readonly encrypted: boolean;
}

/** A core with a few megabytes of RAM at GPA 0. One a test file: `reset` makes it new. */
export class Machine {
  readonly engine: Engine;
  readonly cpu: CpuState;
  readonly fills: Fill[] = [];
  /** Frames that `fill` answers with FILL_READ_ONLY. */
  readonly readOnly = new Set<number>();
  /** Frames that `fill` answers with FILL_FAULT. */
  readonly refused = new Set<number>();
  clock = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #frames = RAM_BYTES >> 12;

  constructor() {
    const host: EngineHost = {
      fill: (gfn, access, encrypted) => {
        this.fills.push({ gfn, access, encrypted });
        if (this.refused.has(gfn)) return layout.FILL_FAULT;
        if (gfn >= this.#frames) return layout.FILL_MMIO;
        return (layout.FIRST_FRAME + gfn * 4096) | (this.readOnly.has(gfn) ? layout.FILL_READ_ONLY : 0);
      },
      mmio: () => false,
      tsc: () => this.clock,
    };
    this.engine = new Engine(host, createHostMemory());
    this.cpu = this.engine.cpu;
    this.#bytes = new Uint8Array(this.engine.memory.buffer, layout.FIRST_FRAME, RAM_BYTES);
    this.#view = new DataView(this.engine.memory.buffer, layout.FIRST_FRAME, RAM_BYTES);
  }

  /** RAM of zeros, a processor behind RESET. */
  reset(): this {
    this.engine.code.forgetAll();
    this.#bytes.fill(0);
    this.fills.length = 0;
    this.readOnly.clear();
    this.refused.clear();
    this.clock = 0;
    this.cpu.reset();
    this.engine.flushTlbs();
    return this;
  }

  /** Within a page, as a device would: the engine is told, because it may have decoded these bytes. */
  write(gpa: number, ...parts: readonly Code[]): void {
    const content = parts.flat();
    const offset = gpa & 0xfff;
    if (content.length > 0) this.engine.code.written(layout.FIRST_FRAME + gpa - offset, offset, content.length);
    this.#bytes.set(content, gpa);
  }

  read(gpa: number, size: number): number[] {
    return [...this.#bytes.subarray(gpa, gpa + size)];
  }

  read64(gpa: number): bigint {
    return this.#view.getBigUint64(gpa, true);
  }

  write64(gpa: number, value: bigint): void {
    this.#view.setBigUint64(gpa, BigInt.asUintN(64, value), true);
  }

  /** The entry that maps the page of an address below 2 MiB. */
  entryOf(address: number): number {
    return PT + (address >> 12) * 8;
  }

  /** Runs until the guest asks for something or `budget` is used up. Answers EXIT_*. */
  run(budget = 10_000): number {
    return this.engine.run(budget);
  }

  word(address: number): number {
    return this.cpu.word(address);
  }

  /** 64 bits of the state block as a number. */
  arg(address: number): number {
    return this.word(address) + this.word(address + 4) * 2 ** 32;
  }

  /** Which vector's handler the processor halted in; -1 where it did elsewhere. */
  handler(): number {
    const rip = Number(this.cpu.get('rip'));
    return rip > HANDLERS && rip <= HANDLERS + 0x1000 ? (rip - 1 - HANDLERS) >> 4 : -1;
  }

  /** The quadwords on the stack, from RSP on. */
  stack(count: number): bigint[] {
    const top = Number(this.cpu.get('rsp'));
    return Array.from({ length: count }, (_, index) => this.read64(top + 8 * index));
  }

  /**
   * 64-bit mode at CODE, privilege 0, with tables, a TSS and a handler that halts for every vector. The code of `cpl` 3 lies
   * at USER_CODE and runs with interrupts on.
   */
  long(code: Code, options: { cpl?: 0 | 3; cBit?: bigint } = {}): this {
    this.reset();
    const c = options.cBit ?? 0n;
    this.write64(PML4, BigInt(PDPT) | P | W | U | c);
    this.write64(PDPT, BigInt(PD) | P | W | U | c);
    this.write64(PD, BigInt(PT) | P | W | U | c);
    for (let page = 0; page < 512; page++) this.write64(PT + page * 8, BigInt(page * 4096) | P | W | U | c);
    this.#tables();
    const { cpu } = this;
    const user = options.cpl === 3;
    this.write(user ? USER_CODE : CODE, code);
    cpu.set('cr0', 0x8001_0013n);
    cpu.set('cr3', BigInt(PML4) | c);
    cpu.set('cr4', 0x6a0n);
    cpu.set('efer', 0xd01n);
    cpu.set('cBitMask', c);
    // MAXPHYADDR 40.
    cpu.set('pteReservedMask', 0x000f_ff00_0000_0000n & ~c);
    cpu.setTable('gdt', { base: BigInt(GDT), limit: 0x5f });
    cpu.setTable('idt', { base: BigInt(IDT), limit: 0xfff });
    const flat = { base: 0n, limit: 0xffff_ffff, present: 1, s: 1, g: 1, avl: 0, unusable: 0, db: 0, l: 0 };
    const dpl = user ? 3 : 0;
    cpu.setSegment('cs', { ...flat, selector: user ? USER_CS | 3 : KERNEL_CS, type: 11, dpl, l: 1 });
    for (const name of ['ss', 'ds', 'es'] as const)
      cpu.setSegment(name, { ...flat, selector: user ? USER_SS | 3 : KERNEL_SS, type: 3, dpl, db: 1 });
    const tss = { selector: TSS_SELECTOR, base: BigInt(TSS), limit: 0x67, type: 11, s: 0, g: 0 };
    cpu.setSegment('tr', { ...flat, ...tss, dpl: 0 });
    cpu.rflags = user ? 0x202n : 2n;
    cpu.set('rip', BigInt(user ? USER_CODE : CODE));
    cpu.set('rsp', BigInt(user ? USER_STACK_TOP : STACK_TOP));
    cpu.commit();
    return this;
  }

  #tables(): void {
    const code64 = 0x00af_9b00_0000_ffffn;
    const data = 0x00cf_9300_0000_ffffn;
    const code32 = 0x00cf_9b00_0000_ffffn;
    const dpl3 = 0x6000_0000_0000n;
    this.write64(GDT + KERNEL_CS, code64);
    this.write64(GDT + KERNEL_SS, data);
    this.write64(GDT + USER_CS32, code32 | dpl3);
    this.write64(GDT + USER_SS, data | dpl3);
    this.write64(GDT + USER_CS, code64 | dpl3);
    this.write64(GDT + CODE32, code32);
    this.write64(GDT + DATA32, data);
    this.write64(GDT + CODE16, 0x0000_9b00_0000_ffffn);
    this.write64(GDT + TSS_SELECTOR, 0x0000_8900_0000_0067n | (BigInt(TSS) << 16n));
    this.write64(TSS + 4, BigInt(KERNEL_STACK_TOP));
    this.write64(TSS + 0x24, BigInt(IST_TOP));
    for (let vector = 0; vector < 256; vector++) {
      this.gate(vector);
      this.write(HANDLERS + vector * 16, [0xf4]);
    }
  }

  /** An IDT gate to the vector's handler: an interrupt gate of privilege 0 unless said otherwise. */
  gate(
    vector: number,
    options: { ist?: number; dpl?: number; type?: number; selector?: number; present?: boolean } = {},
  ): void {
    const { ist = 0, dpl = 0, type = 0xe, selector = KERNEL_CS, present = true } = options;
    const handler = HANDLERS + vector * 16;
    this.write(IDT + vector * 16, [
      ...bytes(handler, 2),
      ...bytes(selector, 2),
      ist,
      (present ? 0x80 : 0) | (dpl << 5) | type,
      ...bytes(handler >> 16, 2),
    ]);
  }
}
