import { readFileSync } from 'node:fs';
import { CodeCache, LONGEST_TRACE } from './code-cache.ts';
import { CpuState } from './cpu-state.ts';
import * as layout from './layout.ts';

/** What the engine asks its owner. All are slow paths, called from inside `run`. */
export interface EngineHost {
  /**
   * Which host frame stands behind a guest frame. `access` is ACCESS_READ, ACCESS_WRITE or ACCESS_EXECUTE, with
   * ACCESS_WALK where the processor itself reads or writes a page-table entry; `encrypted` where the C bit was set.
   * Answers the frame's address (with FILL_READ_ONLY perhaps), FILL_MMIO or FILL_FAULT.
   */
  fill(guestFrame: number, access: number, encrypted: boolean): number;
  /**
   * An access to an address without memory. Answers the value of a read (low, high in `answer`), or false to end the run
   * with EXIT_MMIO; the instruction is then done again from its start once COMPLETING is set.
   */
  mmio(gpa: number, size: number, isWrite: boolean, low: number, high: number, answer: Uint32Array): boolean;
  /** The time-stamp counter, where the clock isn't deterministic. Exact below 2^53. */
  tsc(): number;
  /** An exception is about to be delivered, where TELL_EXCEPTIONS is set: layout.FAULT_*, RIP and CR2 say which. */
  exception?(): void;
}

/** Where a linear address leads. */
export interface Translation {
  readonly gpa: number;
  /** The C bit was set, or the processor has no paging on and the guest has a C bit. */
  readonly encrypted: boolean;
}

interface Exports {
  run(): number;
  deliverInterrupt(vector: number): number;
  deliverNmi(): number;
  raise(vector: number, hasCode: number, code: number): number;
  debugTranslate(linear: bigint): number;
  readFlags(): number;
  writeFlags(value: number): void;
  translatedGpa(): bigint;
  writeMsr(index: number, value: bigint): number;
  stateLoaded(): void;
  flushTlbs(): void;
  protectFrame(frame: number): void;
  forgetCode(frame: number): void;
  selectTlb(): void;
}

/** One processor core over one host memory. Its registers lie in that memory, where layout.ts says. */
export class Engine {
  readonly memory: WebAssembly.Memory;
  readonly words: Uint32Array;
  readonly #view: DataView;
  readonly #exports: Exports;
  readonly code: CodeCache;
  /** The virtual processor's registers. */
  readonly cpu: CpuState;

  constructor(host: EngineHost, memory: WebAssembly.Memory = createHostMemory()) {
    this.memory = memory;
    this.words = new Uint32Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.code = new CodeCache(memory, {
      flushTlbs: () => this.#exports.flushTlbs(),
      protectFrame: (frame) => this.#exports.protectFrame(frame),
      forgetCode: (frame) => this.#exports.forgetCode(frame),
    });
    const answer = new Uint32Array(memory.buffer, layout.EXIT_ARG2, 2);
    const { code } = this;
    const instance = new WebAssembly.Instance(compiled(), {
      env: { memory },
      host: {
        fill: (guestFrame: number, access: number, encrypted: number) =>
          host.fill(guestFrame >>> 0, access, encrypted !== 0),
        codePage: (frame: number) => code.pageOf(frame >>> 0, this.words[layout.CODE_BITS / 4] as 16 | 32 | 64),
        decode: (frame: number, offset: number) => code.decode(frame >>> 0, offset),
        decodeSingle: (frame: number, offset: number) => code.decodeSingle(frame >>> 0, offset),
        decodeCrossing: (uop: number, frame: number, second: number) =>
          code.decodeCrossing(uop, frame >>> 0, second >>> 0),
        codeWritten: (frame: number, offset: number, size: number) => code.written(frame >>> 0, offset, size),
        mmio: (low: number, high: number, size: number, isWrite: number, valueLow: number, valueHigh: number) =>
          host.mmio((high >>> 0) * 2 ** 32 + (low >>> 0), size, isWrite !== 0, valueLow >>> 0, valueHigh >>> 0, answer)
            ? 1
            : 0,
        tsc: () => host.tsc(),
        exception: () => host.exception?.(),
      },
    });
    this.#exports = instance.exports as unknown as Exports;
    this.cpu = new CpuState(memory, this.#exports);
    this.#exports.flushTlbs();
  }

  /**
   * Runs until about `budget` instructions have retired (one trace more at most) or the guest needs something.
   * Answers EXIT_*; `retired()` tells exactly how many.
   */
  run(budget: number): number {
    this.#view.setBigInt64(layout.BUDGET, BigInt(budget), true);
    return this.#exports.run();
  }

  /**
   * Runs until exactly `count` instructions have retired, each delivered exception counting as one, or the guest needs
   * something. Answers EXIT_*.
   */
  runExactly(count: number): number {
    const end = this.retired + count;
    for (;;) {
      const left = end - this.retired;
      if (left <= 0) return layout.EXIT_BUDGET;
      const reason = left > LONGEST_TRACE ? this.run(left - LONGEST_TRACE - 1) : this.#runAlone(left);
      if (reason !== layout.EXIT_BUDGET) return reason;
    }
  }

  /** Instruction by instruction. A long REP counts when it is done. */
  #runAlone(count: number): number {
    this.words[layout.STEPPING / 4] = 1;
    try {
      return this.run(count - 1);
    } finally {
      this.words[layout.STEPPING / 4] = 0;
    }
  }

  /** Instructions retired and exceptions delivered since the state was made. Exact below 2^53. */
  get retired(): number {
    return (this.words[layout.RETIRED / 4 + 1] ?? 0) * 2 ** 32 + (this.words[layout.RETIRED / 4] ?? 0);
  }

  /**
   * Takes an external interrupt at the instruction where the processor stands; the caller has asked `cpu.interruptible`.
   * Answers 0, or the EXIT_* that came of it (a triple fault, no memory): then it was not taken.
   */
  deliverInterrupt(vector: number): number {
    return this.#exports.deliverInterrupt(vector);
  }

  /** The same for a non-maskable interrupt; the caller has looked at NMI_BLOCKED. */
  deliverNmi(): number {
    return this.#exports.deliverNmi();
  }

  /** The same for an exception, as if the instruction at RIP had raised it. A page fault's address goes to `cpu` before. */
  raise(vector: number, code?: number): number {
    return this.#exports.raise(vector, code === undefined ? 0 : 1, code ?? 0);
  }

  /** What the guest's page tables say of a linear address, as a supervisor's read would; nothing is marked in them. */
  translate(linear: bigint): Translation | undefined {
    if (this.#exports.debugTranslate(BigInt.asIntN(64, linear)) === 0) return undefined;
    const view = this.#view;
    return {
      gpa: Number(view.getBigUint64(layout.EXIT_ARG0, true)),
      encrypted: view.getUint32(layout.EXIT_ARG1, true) !== 0,
    };
  }

  /** Guest-physical address, without the C bit, of the access that `fill` was last asked for; not of a page walk's. */
  get filledGpa(): number {
    return Number(BigInt.asUintN(64, this.#exports.translatedGpa()));
  }

  /** Sets an MSR that the core holds with WRMSR's checks. False where it isn't held or can't have the value. */
  writeMsr(index: number, value: bigint): boolean {
    return this.#exports.writeMsr(index, BigInt.asIntN(64, value)) !== 0;
  }

  /** After CR3, mappings or frames changed behind the guest's back. */
  flushTlbs(): void {
    this.#exports.flushTlbs();
  }

  /** The bytes of a host frame changed, or the frame is another's: nothing decoded or mapped leads there any more. */
  frameChanged(frame: number): void {
    this.code.written(frame, 0, 4096);
    this.#exports.flushTlbs();
  }

  /** After CPL was written from outside. */
  selectTlb(): void {
    this.#exports.selectTlb();
  }
}

/** Up to 4 GiB, reserved and not touched. */
export function createHostMemory(pages = 65_536): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

let module: WebAssembly.Module | undefined;

function compiled(): WebAssembly.Module {
  module ??= new WebAssembly.Module(readFileSync(new URL('../generated/x86.wasm', import.meta.url)));
  return module;
}
