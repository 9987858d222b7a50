import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import type { WordName } from '../src/cpu-state.ts';
import { createHostMemory, Engine } from '../src/engine.ts';
import * as layout from '../src/layout.ts';
import {
  BARE_MEMORY,
  BARE_ROOT,
  BARE_START,
  ENTER,
  ENTER_PLAIN,
  FRAME_IN,
  FX_IN,
  FX_OUT,
  SAVE_FX,
  SAVE_FX_BYTES,
  SELECTORS,
  SETUP,
  SUPERVISOR,
} from './bare-image.ts';
import type { BareMachine } from './bare-machine.ts';

/** More than any case needs: its loops are short, and what is endless on the host is not run here. */
const BUDGET = 1_000_000;
const PAGE = 4096;

/** The image's segments, as a descriptor's load leaves them. */
const FLAT = { base: 0n, limit: 0xffff_ffff, present: 1, dpl: 0, s: 1, g: 1, avl: 0, unusable: 0 };

/** Offsets in a FXSAVE64 image. */
const FX = { control: 0, status: 2, tag: 4, mxcsr: 24, registers: 32, xmm: 160 };

/** Our engine holding a bare image. Vector state goes straight into the state block, which is faster than FXRSTOR and FXSAVE. */
export class EngineBare implements BareMachine {
  readonly name = 'engine';
  readonly #engine: Engine;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  /** The processor behind the image's setup. */
  readonly #ready: Uint8Array | undefined;

  constructor(image: Uint8Array) {
    const memory = createHostMemory();
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#engine = new Engine(
      {
        fill: (frame) => (frame < BARE_MEMORY / PAGE ? layout.FIRST_FRAME + frame * PAGE : layout.FILL_MMIO),
        mmio: () => false,
        tsc: () => 0,
      },
      memory,
    );
    this.#bytes.set(image, layout.FIRST_FRAME);
    // JMP over the FXSAVE64.
    this.#bytes.set([0xeb, SAVE_FX_BYTES - 2], layout.FIRST_FRAME + SAVE_FX);
    this.#start();
    const refused = this.runToHalt(SETUP);
    if (refused !== undefined) throw new Error(`engine: the image's setup: ${refused}`);
    const { cpu } = this.#engine;
    cpu.set('cr3', BARE_ROOT);
    cpu.commit();
    this.#ready = cpu.save();
  }

  write(address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = address + done;
      const size = Math.min(bytes.length - done, PAGE - (at % PAGE));
      this.#engine.code.written(layout.FIRST_FRAME + at - (at % PAGE), at % PAGE, size);
      done += size;
    }
    this.writeData(address, bytes);
  }

  writeData(address: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, layout.FIRST_FRAME + address);
  }

  read(address: number, into: Uint8Array): void {
    const at = layout.FIRST_FRAME + address;
    into.set(this.#bytes.subarray(at, at + into.length));
  }

  setGprs(words: Uint32Array): void {
    this.#words.set(words, layout.REGS / 4);
  }

  getGprs(words: Uint32Array): void {
    words.set(this.#words.subarray(layout.REGS / 4, layout.REGS / 4 + 32));
  }

  cr2(): bigint {
    return this.#engine.cpu.get('cr2');
  }

  runToHalt(rip: bigint): string | undefined {
    const { cpu } = this.#engine;
    if (rip === ENTER) {
      this.#loadFx(layout.FIRST_FRAME + FX_IN);
      cpu.set('rsp', SUPERVISOR + BigInt(FRAME_IN));
    }
    cpu.set('rip', rip === ENTER ? ENTER_PLAIN : rip);
    const reason = this.#engine.run(BUDGET);
    if (reason === layout.EXIT_HLT) {
      this.#saveFx(layout.FIRST_FRAME + FX_OUT);
      return undefined;
    }
    const instruction = this.#instructionAt(cpu.get('rip'));
    // Whatever mode the case left behind, the next one starts in the supervisor's.
    if (this.#ready !== undefined) cpu.load(this.#ready);
    if (reason === layout.EXIT_UNSUPPORTED) return `unsupported: ${instruction}`;
    return reason === layout.EXIT_BUDGET ? 'no end' : `exit ${reason} at ${instruction}`;
  }

  #loadFx(at: number): void {
    const bytes = this.#bytes;
    bytes.copyWithin(layout.XMM, at + FX.xmm, at + FX.xmm + 256);
    bytes.copyWithin(layout.MXCSR, at + FX.mxcsr, at + FX.mxcsr + 4);
    bytes.copyWithin(layout.FPU_CONTROL, at + FX.control, at + FX.control + 2);
    bytes.copyWithin(layout.FPU_STATUS, at + FX.status, at + FX.status + 2);
    bytes.copyWithin(layout.FPU_TAG, at + FX.tag, at + FX.tag + 2);
    // Cases start with TOP at 0: ST(i) is register i.
    bytes.copyWithin(layout.FPU_REGS, at + FX.registers, at + FX.registers + 128);
  }

  #saveFx(at: number): void {
    const bytes = this.#bytes;
    bytes.copyWithin(at + FX.xmm, layout.XMM, layout.XMM + 256);
    bytes.copyWithin(at + FX.mxcsr, layout.MXCSR, layout.MXCSR + 4);
    bytes.copyWithin(at + FX.control, layout.FPU_CONTROL, layout.FPU_CONTROL + 2);
    bytes.copyWithin(at + FX.status, layout.FPU_STATUS, layout.FPU_STATUS + 2);
    bytes.copyWithin(at + FX.tag, layout.FPU_TAG, layout.FPU_TAG + 2);
    const top = ((bytes[layout.FPU_STATUS + 1] ?? 0) >> 3) & 7;
    for (let i = 0; i < 8; i++) {
      const from = layout.FPU_REGS + 16 * ((top + i) & 7);
      bytes.copyWithin(at + FX.registers + 16 * i, from, from + 16);
    }
  }

  #instructionAt(rip: bigint): string {
    const gpa = this.#engine.translate(rip)?.gpa;
    if (gpa === undefined) return `${rip.toString(16)} (not mapped)`;
    const at = layout.FIRST_FRAME + gpa;
    const decoder = new Decoder(64, this.#bytes.slice(at, at + 15), DecoderOptions.None);
    const instruction = decoder.decode();
    const formatter = new Formatter(FormatterSyntax.Nasm);
    const text = formatter.format(instruction);
    for (const each of [formatter, instruction, decoder]) each.free();
    return text.split(' ')[0] ?? '';
  }

  close(): void {
    // Nothing but memory.
  }

  #start(): void {
    const { cpu } = this.#engine;
    const { cr0, cr3, cr4, efer, gdt, stack } = BARE_START;
    cpu.reset();
    for (const [name, value] of Object.entries({ cr0, cr3, cr4, efer, rsp: stack } as const))
      cpu.set(name as WordName, value);
    const data = { ...FLAT, selector: SELECTORS.data, type: 3, db: 1, l: 0 };
    for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const) cpu.setSegment(name, data);
    cpu.setSegment('cs', { ...FLAT, selector: SELECTORS.code, type: 11, db: 0, l: 1 });
    cpu.setTable('gdt', gdt);
    cpu.commit();
  }
}
