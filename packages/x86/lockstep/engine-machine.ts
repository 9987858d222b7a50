import {
  type Instruction as Decoded,
  Decoder,
  DecoderOptions,
  Mnemonic,
  OpKind,
  Register,
  RegisterExt,
} from 'iced-x86';
import type { Segment } from '../src/cpu-state.ts';
import { createHostMemory, Engine } from '../src/engine.ts';
import * as layout from '../src/layout.ts';
import { OP_CMPS, OP_LODS, OP_MOVS, OP_SCAS, OP_STOS, OP_UNSUPPORTED } from '../src/ops/integer.ts';
import { OP_RDRAND, OP_RDTSC, OP_RDTSCP } from '../src/ops/system.ts';
import type { SteppedMachine, StopReason } from './machine.ts';
import {
  GPR_NAMES,
  type RegisterFile,
  SEGMENT_NAMES,
  type SegmentState,
  type SystemRegisters,
} from './register-file.ts';
import { countOfRep, type StringKind } from './rounds.ts';

const PAGE = 4096;
/** A run may retire one trace more than its budget: what is left at the end is stepped. */
const LONGEST_TRACE = 64;
/** Bits of a string micro-op's IMM: REP or REPE, REPNE. */
const REP_BITS = 0xc0;

/** Mnemonics whose result comes from outside the processor though the engine could make one up. */
const OUTSIDE = new Set([Mnemonic.Rdtsc, Mnemonic.Rdtscp, Mnemonic.Rdrand, Mnemonic.Rdseed]);

const LOADS = new Set([Mnemonic.Mov, Mnemonic.Movzx, Mnemonic.Movsx, Mnemonic.Movsxd]);

const CLOCKS = new Set([Mnemonic.Rdtsc, Mnemonic.Rdtscp]);

const STRINGS = new Map<Mnemonic, 'plain' | 'compare'>([
  ...[Mnemonic.Movsb, Mnemonic.Movsw, Mnemonic.Movsd, Mnemonic.Movsq].map((each) => [each, 'plain'] as const),
  ...[Mnemonic.Stosb, Mnemonic.Stosw, Mnemonic.Stosd, Mnemonic.Stosq].map((each) => [each, 'plain'] as const),
  ...[Mnemonic.Lodsb, Mnemonic.Lodsw, Mnemonic.Lodsd, Mnemonic.Lodsq].map((each) => [each, 'plain'] as const),
  ...[Mnemonic.Cmpsb, Mnemonic.Cmpsw, Mnemonic.Cmpsd, Mnemonic.Cmpsq].map((each) => [each, 'compare'] as const),
  ...[Mnemonic.Scasb, Mnemonic.Scasw, Mnemonic.Scasd, Mnemonic.Scasq].map((each) => [each, 'compare'] as const),
]);

/** What stands at RIP, as far as counting and lockstep care. */
type At =
  | { readonly kind: 'plain' | 'outside' | 'clock' }
  | { readonly kind: 'rep'; readonly string: StringKind; readonly address: 32 | 64 };

/**
 * Our engine over plain memory, without devices, as a stepped machine that counts as QEMU's icount does. Everything that is
 * not the processor's own (I/O, MMIO, CPUID, RDTSC, most MSRs) stops it: `outside`.
 */
export class EngineMachine implements SteppedMachine {
  readonly name = 'engine';
  readonly engine: Engine;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #view: DataView;
  readonly #memory: number;
  /** QEMU's count of what ran since the start, less the engine's: rounds of REP, and what was passed over. */
  #rounds = 0;
  /** RDTSC's value less the count, where it is known. */
  #clock: number | undefined;

  /** Bytes of guest RAM from guest-physical 0 on. */
  constructor(memoryBytes: number) {
    const memory = createHostMemory();
    this.#memory = memoryBytes;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.engine = new Engine(
      {
        fill: (frame) => (frame < memoryBytes / PAGE ? layout.FIRST_FRAME + frame * PAGE : layout.FILL_MMIO),
        mmio: () => false,
        tsc: () => this.#count() + (this.#clock ?? 0),
      },
      memory,
    );
    this.#watch();
    this.engine.cpu.reset();
  }

  readRegs(): RegisterFile {
    const { cpu } = this.engine;
    const registers = Array.from({ length: 8 }, (_, i) => {
      const at = layout.FPU_REGS + 16 * ((this.#top() + i) & 7);
      return this.#bytes.slice(at, at + 10);
    });
    return {
      gpr: BigUint64Array.from(GPR_NAMES, (name) => cpu.get(name)),
      rip: cpu.get('rip'),
      rflags: Number(cpu.rflags),
      xmm: this.#bytes.slice(layout.XMM, layout.XMM + 256),
      mxcsr: this.#view.getUint32(layout.MXCSR, true),
      x87: {
        control: this.#view.getUint16(layout.FPU_CONTROL, true),
        status: this.#view.getUint16(layout.FPU_STATUS, true),
        tag: this.#view.getUint16(layout.FPU_TAG, true),
        registers,
      },
      selectors: Uint16Array.from(SEGMENT_NAMES, (name) => cpu.segment(name).selector),
      fsBase: cpu.segment('fs').base,
      gsBase: cpu.segment('gs').base,
      kernelGsBase: cpu.get('kernelGsBase'),
      cr0: cpu.get('cr0'),
      cr2: cpu.get('cr2'),
      cr3: cpu.get('cr3'),
      cr4: cpu.get('cr4'),
      cr8: cpu.get('cr8'),
      efer: cpu.get('efer'),
    };
  }

  writeRegs(registers: RegisterFile): void {
    const { cpu } = this.engine;
    GPR_NAMES.forEach((name, index) => cpu.set(name, registers.gpr[index] ?? 0n));
    for (const name of ['rip', 'cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer', 'kernelGsBase'] as const)
      cpu.set(name, registers[name]);
    cpu.rflags = BigInt(registers.rflags);
    this.#bytes.set(registers.xmm, layout.XMM);
    this.#view.setUint32(layout.MXCSR, registers.mxcsr, true);
    this.#view.setUint16(layout.FPU_CONTROL, registers.x87.control, true);
    this.#view.setUint16(layout.FPU_STATUS, registers.x87.status, true);
    registers.x87.registers.forEach((bytes, index) =>
      this.#bytes.set(bytes, layout.FPU_REGS + 16 * ((this.#top() + index) & 7)),
    );
    for (const [name, base] of [
      ['fs', registers.fsBase],
      ['gs', registers.gsBase],
    ] as const)
      cpu.setSegment(name, { ...cpu.segment(name), base });
    this.engine.words[layout.PENDING / 4] = layout.PENDING_NONE;
    cpu.commit();
  }

  writeSystem(system: SystemRegisters): void {
    const { cpu } = this.engine;
    for (const name of [...SEGMENT_NAMES, 'ldt', 'tr'] as const) cpu.setSegment(name, segmentOf(system.segments[name]));
    cpu.setTable('gdt', system.gdt);
    cpu.setTable('idt', system.idt);
    cpu.commit();
  }

  readMemory(address: number, length: number): Uint8Array {
    if (address + length > this.#memory) throw new RangeError(`engine: no RAM at ${address.toString(16)}`);
    return this.#bytes.subarray(layout.FIRST_FRAME + address, layout.FIRST_FRAME + address + length);
  }

  /** What was decoded from overwritten code is forgotten. */
  writeMemory(address: number, data: Uint8Array): void {
    if (address + data.length > this.#memory) throw new RangeError(`engine: no RAM at ${address.toString(16)}`);
    this.#bytes.set(data, layout.FIRST_FRAME + address);
    this.engine.code.forgetAll();
  }

  /** Counts as QEMU does: rounds.ts. */
  runInstructions(count: number): StopReason {
    let done = 0;
    for (;;) {
      const left = count - done;
      if (left === 0) return { kind: 'count', retired: done };
      const at = left > LONGEST_TRACE ? undefined : this.#at();
      if (at?.kind === 'outside') return this.#outside(done);
      if (at?.kind === 'rep') {
        done += this.#counted(() => this.#rep(at.string, at.address, left));
        continue;
      }
      const before = this.#retired();
      const reason = at === undefined ? this.engine.run(left - LONGEST_TRACE) : this.#step();
      done += this.#retired() - before;
      if (reason === layout.EXIT_BUDGET || reason === layout.EXIT_IRQ_WINDOW) continue;
      if (reason === layout.EXIT_UNSUPPORTED) {
        const here = this.#at();
        if (here.kind === 'rep') {
          done += this.#counted(() => this.#rep(here.string, here.address, count - done));
          continue;
        }
        if (here.kind === 'outside') return this.#outside(done);
        if (here.kind === 'clock') {
          this.#step();
          done++;
          continue;
        }
        return { kind: 'unsupported', retired: done, why: this.#text() };
      }
      return this.#stop(reason, done);
    }
  }

  close(): void {
    // Nothing but memory.
  }

  /** An interrupt from outside, which counts as no instruction. Answers 0, or the EXIT_* that came of it. */
  interrupt(vector: number): number {
    const before = this.#retired();
    const refused = this.engine.deliverInterrupt(vector);
    this.#rounds += before - this.#retired();
    return refused;
  }

  /** An instruction at RIP was done elsewhere, and its registers written here. */
  passOver(): void {
    this.#rounds++;
  }

  /**
   * The instruction passed over last was RDTSC and gave this value: from now on it is counted on, an instruction being a
   * nanosecond (`-icount shift=0`), until forgetClock().
   */
  learnClock(value: number): void {
    this.#clock = value - (this.#retired() + this.#rounds - 1);
  }

  /** In a HLT QEMU's clock runs ahead of its instructions. */
  forgetClock(): void {
    this.#clock = undefined;
  }

  /** What has retired as QEMU counts it, in the middle of a run, before an instruction that asks the clock. */
  #count(): number {
    const at = this.#view.getBigUint64(layout.RETIRED_AT_0, true) - this.#view.getBigInt64(layout.BUDGET, true);
    return Number(at - this.#view.getBigUint64(layout.EVENTS, true)) + this.#rounds;
  }

  #outside(retired: number): StopReason {
    return { kind: 'outside', retired, behind: false, what: this.mnemonicAtRip() };
  }

  #stop(reason: number, retired: number): StopReason {
    switch (reason) {
      case layout.EXIT_HLT:
        return { kind: 'halt', retired };
      case layout.EXIT_SHUTDOWN:
        return { kind: 'shutdown', retired };
      case layout.EXIT_CPUID:
        return { kind: 'outside', retired, behind: true, what: 'cpuid' };
      case layout.EXIT_HYPERCALL:
        return { kind: 'outside', retired, behind: true, what: 'vmcall' };
      case layout.EXIT_CR8:
        return { kind: 'outside', retired, behind: true, what: 'mov cr8' };
      default:
        return this.#outside(retired);
    }
  }

  /** Instructions without the events that the budget counts too. */
  #retired(): number {
    return Number(this.#view.getBigUint64(layout.RETIRED, true) - this.#view.getBigUint64(layout.EVENTS, true));
  }

  #step(): number {
    // COMPLETING with nothing pending: exactly one instruction.
    this.#words[layout.PENDING / 4] = layout.PENDING_NONE;
    this.#words[layout.COMPLETING / 4] = 1;
    return this.engine.run(0);
  }

  /** Keeps the difference to the engine's own count. */
  #counted(run: () => number): number {
    const before = this.#retired();
    const count = run();
    this.#rounds += count - (this.#retired() - before);
    return count;
  }

  /** At most `most` of QEMU's counts of the REP instruction at RIP; answers how many. A fault in it ends it early. */
  #rep(kind: StringKind, address: 32 | 64, most: number): number {
    const { cpu } = this.engine;
    const rip = cpu.get('rip');
    const all = cpu.get('rcx');
    const counter = address === 32 ? BigInt.asUintN(32, all) : all;
    if (counter === 0n) {
      this.#step();
      return 1;
    }
    // Fewer rounds than it wants: a smaller RCX, and RIP back at it.
    const partly = counter >= BigInt(most);
    const asked = partly ? BigInt(most) : counter;
    cpu.set('rcx', asked);
    const events = this.#view.getBigUint64(layout.EVENTS, true);
    // The engine pauses in long ones.
    do this.#step();
    while (cpu.get('rip') === rip && cpu.get('rcx') !== 0n && this.#view.getBigUint64(layout.EVENTS, true) === events);
    const left = cpu.get('rcx');
    const rounds = Number(asked - left);
    const faulted = this.#view.getBigUint64(layout.EVENTS, true) !== events;
    cpu.set('rcx', counter - BigInt(rounds));
    if (faulted) return rounds;
    const zf = (Number(cpu.rflags) & 0x40) !== 0;
    const { count, ended } = countOfRep(kind, rounds, Number(counter) - rounds, zf);
    if (!ended || count > most) {
      cpu.set('rip', rip);
      return Math.min(count, most);
    }
    return count;
  }

  #at(): At {
    const decoded = this.#decode();
    if (decoded === undefined) return { kind: 'plain' };
    const { mnemonic } = decoded;
    const string = STRINGS.get(mnemonic);
    const repeats = decoded.hasRepPrefix || decoded.hasRepnePrefix;
    const kind: StringKind = string === 'plain' ? 'plain' : decoded.hasRepnePrefix ? 'unequal' : 'equal';
    const bytes = this.codeAtRip();
    const address = bytes?.includes(0x67) === true && decoded.length > 2 ? 32 : 64;
    decoded.free();
    if (string !== undefined && repeats) return { kind: 'rep', string: kind, address };
    if (this.#clock !== undefined && CLOCKS.has(mnemonic)) return { kind: 'clock' };
    return { kind: OUTSIDE.has(mnemonic) ? 'outside' : 'plain' };
  }

  #decode(): Decoded | undefined {
    const bytes = this.codeAtRip();
    if (bytes === undefined) return undefined;
    const decoder = new Decoder(this.engine.cpu.codeBits, bytes, DecoderOptions.None);
    const decoded = decoder.decode();
    decoder.free();
    return decoded;
  }

  #text(): string {
    const bytes = this.codeAtRip();
    return bytes === undefined ? 'not mapped' : Buffer.from(bytes).toString('hex');
  }

  /** The instruction at RIP as text, for reports. */
  mnemonicAtRip(): string {
    const decoded = this.#decode();
    if (decoded === undefined) return 'not mapped';
    const text = Mnemonic[decoded.mnemonic]?.toLowerCase() ?? '';
    decoded.free();
    return text;
  }

  /** The general register that a load at RIP (MOV, MOVZX, MOVSX) writes, none for a store; undefined for all else. */
  loadedAtRip(): readonly number[] | undefined {
    const decoded = this.#decode();
    if (decoded === undefined) return undefined;
    const { mnemonic, op0Kind, op0Register } = decoded;
    decoded.free();
    if (!LOADS.has(mnemonic)) return undefined;
    if (op0Kind !== OpKind.Register) return [];
    const number = RegisterExt.fullRegister(op0Register) - Register.RAX;
    return number >= 0 && number < 16 ? [number] : undefined;
  }

  lengthAtRip(): number {
    const decoded = this.#decode();
    const length = decoded?.length ?? 0;
    decoded?.free();
    return length;
  }

  /** The 15 bytes at RIP, undefined where there are none. */
  codeAtRip(): Uint8Array | undefined {
    const { cpu } = this.engine;
    const linear = cpu.segment('cs').base + cpu.get('rip');
    const first = this.engine.translate(linear)?.gpa;
    if (first === undefined || first >= this.#memory) return undefined;
    const out = new Uint8Array(15);
    const inPage = Math.min(15, PAGE - (first % PAGE));
    out.set(this.readMemory(first, inPage));
    const second = inPage === 15 ? undefined : this.engine.translate(linear + BigInt(inPage))?.gpa;
    if (second !== undefined && second < this.#memory) out.set(this.readMemory(second, 15 - inPage), inPage);
    return out;
  }

  #top(): number {
    return (this.#view.getUint16(layout.FPU_STATUS, true) >> 11) & 7;
  }

  /**
   * REP string instructions and those of OUTSIDE end a run: in traces they are made OP_UNSUPPORTED as soon as they are
   * decoded. Instructions that are decoded alone, for a step, stay as they are.
   */
  #watch(): void {
    const { code } = this.engine;
    const decode = code.decode.bind(code);
    const decodeCrossing = code.decodeCrossing.bind(code);
    code.decode = (frame, offset) => this.#mark(decode(frame, offset));
    code.decodeCrossing = (uop, frame, second) => this.#mark(decodeCrossing(uop, frame, second));
  }

  /** From a trace's first micro-op over as many as one can have: what is behind its end is not in use yet. */
  #mark(first: number): number {
    const most = Math.min(layout.UOPS_END, first + (LONGEST_TRACE * 4 + 4) * layout.UOP_BYTES);
    for (let at = first; at < most; at += layout.UOP_BYTES) {
      const word = this.#words[at >>> 2] ?? 0;
      const operation = word & 0xffff;
      const isRep = isString(operation) && ((this.#words[(at + layout.UOP_IMM) >>> 2] ?? 0) & REP_BITS) !== 0;
      if (isRep || operation === OP_RDTSC || operation === OP_RDTSCP || operation === OP_RDRAND)
        this.#words[at >>> 2] = (word & 0xffff_0000) | OP_UNSUPPORTED;
    }
    return first;
  }
}

function isString(operation: number): boolean {
  return [OP_MOVS, OP_CMPS, OP_STOS, OP_LODS, OP_SCAS].some((first) => operation >= first && operation < first + 4);
}

function segmentOf({ selector, base, limit, flags }: SegmentState): Segment {
  const bit = (at: number): number => (flags >> at) & 1;
  return {
    selector,
    base,
    limit,
    type: (flags >> 8) & 15,
    s: bit(12),
    dpl: (flags >> 13) & 3,
    present: bit(15),
    avl: bit(20),
    l: bit(21),
    db: bit(22),
    g: bit(23),
    unusable: bit(15) === 0 ? 1 : 0,
  };
}
