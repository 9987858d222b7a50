import * as layout from '../layout.ts';
import { fuse, pair } from './fuse.ts';

/** Writes micro-ops into the code cache, one behind the other. The instruction's own fields are kept between them. */
export class TraceWriter {
  readonly #words: Uint32Array;
  /** Byte address of the next micro-op. */
  at: number = layout.UOPS;
  /** Of the instruction that is being lowered: number in its trace, bytes, offset in the page of the next one. */
  ordinal = 0;
  length = 0;
  next = 0;
  /** Bitness of the code: 16, 32 or 64. */
  bits: 16 | 32 | 64 = 64;

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Uint32Array(memory.buffer);
  }

  /**
   * One micro-op. `a`, `b`, `base` and `index` are register addresses (layout.ZERO where absent), `disp` an i32;
   * `immLow`/`immHigh` the halves of IMM, of which `immHigh` is the sign of `immLow` where it isn't given.
   */
  emit(
    op: number,
    a: number = layout.ZERO,
    b: number = layout.ZERO,
    base: number = layout.ZERO,
    index: number = layout.ZERO,
    scale = 0,
    disp = 0,
    immLow = 0,
    immHigh: number = immLow >> 31,
  ): number {
    const { at } = this;
    const word = at >>> 2;
    const words = this.#words;
    words[word] = op | (this.ordinal << 16);
    words[word + 1] = a | (b << 16);
    words[word + 2] = base | (index << 16);
    words[word + 3] = scale | (this.length << 8) | (this.next << 16);
    words[word + 4] = disp;
    words[word + 5] = disp >> 31;
    words[word + 6] = immLow;
    words[word + 7] = immHigh;
    this.at = at + layout.UOP_BYTES;
    return at;
  }

  /** Sets the link of a micro-op that was written before. */
  link(uop: number, target: number): void {
    this.#words[(uop + layout.UOP_LINK) >>> 2] = target;
  }

  /** Adds a few bytes to the displacement of a micro-op that was written before. */
  displace(uop: number, by: number): void {
    const word = (uop + layout.UOP_DISP) >>> 2;
    const low = ((this.#words[word] ?? 0) + by) >>> 0;
    if (low < by) this.#words[word + 1] = ((this.#words[word + 1] ?? 0) + 1) >>> 0;
    this.#words[word] = low;
  }

  /** Lets the micro-op in front of `second` do both, where there is one that can. */
  fuseInto(second: number): void {
    const words = this.#words;
    const first = (second - layout.UOP_BYTES) >>> 2;
    const word = words[first] ?? 0;
    const both = fuse(word & 0xffff, (words[second >>> 2] ?? 0) & 0xffff);
    if (both !== undefined) words[first] = (word & 0xffff_0000) | both;
  }

  /** Lets micro-ops from `first` on do what the one behind them does as well, where there is one for both. */
  pairUp(first: number): void {
    const words = this.#words;
    for (let at = first; at + layout.UOP_BYTES < this.at; at += layout.UOP_BYTES) {
      const word = words[at >>> 2] ?? 0;
      const both = pair(word & 0xffff, (words[(at + layout.UOP_BYTES) >>> 2] ?? 0) & 0xffff);
      if (both !== undefined) words[at >>> 2] = (word & 0xffff_0000) | both;
    }
  }
}
