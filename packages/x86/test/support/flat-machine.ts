import { type Engine, type EngineHost, Engine as X86Engine } from '../../src/engine.ts';
import * as layout from '../../src/layout.ts';
import { readWord, writeWord } from './words.ts';

export { readWord, writeWord };

const PAGE = 4096;

/**
 * A processor in 64-bit mode at CPL 0 over memory that is mapped as it lies: linear = physical. Frames are given out as
 * they are touched; `unmapped` pages are devices without answer, so that an access ends the run.
 */
export class FlatMachine {
  readonly engine: Engine;
  readonly bytes: Uint8Array;
  readonly #frames = new Map<number, number>();
  #next: number = layout.FIRST_FRAME;
  readonly #isMapped: (page: number) => boolean;

  constructor(isMapped: (page: number) => boolean = () => true) {
    this.#isMapped = isMapped;
    const host: EngineHost = {
      fill: (frame) => (this.#isMapped(frame) ? this.#frame(frame) : layout.FILL_FAULT),
      mmio: () => false,
      tsc: () => 0,
    };
    this.engine = new X86Engine(host);
    this.bytes = new Uint8Array(this.engine.memory.buffer);
    const { words } = this.engine;
    words[layout.CODE_BITS / 4] = 64;
    writeWord(words, layout.STACK_MASK, -1n);
    writeWord(words, layout.CR0, 0x31n);
    writeWord(words, layout.EFLAGS_REST, 2n);
  }

  #frame(page: number): number {
    let at = this.#frames.get(page);
    if (at === undefined) {
      at = this.#next;
      this.#next += PAGE;
      this.#frames.set(page, at);
    }
    return at;
  }

  /** Host address of a linear address: valid to the end of its page. */
  host(linear: number): number {
    return this.#frame(Math.floor(linear / PAGE)) + (linear % PAGE);
  }

  /** Writes memory as from outside, before any of it was executed. */
  load(linear: number, bytes: Iterable<number>): void {
    let at = linear;
    for (const byte of bytes) this.bytes[this.host(at++)] = byte;
  }

  read(linear: number, size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, i) => this.bytes[this.host(linear + i)] ?? 0);
  }
}
