import type { Judgement } from '../../src/guest-memory/lie.ts';
import { otherView, type SidePages } from '../../src/guest-memory/side-pages.ts';
import { type ViewConversion, ViewJudge } from '../../src/guest-memory/views.ts';
import { PAGE_BYTES, type View } from '../../src/port/index.ts';

const QUIET: Judgement = { wrongView: null, lies: [] };

/** The two sides as plain arrays, with residency by page as a file has it. */
class ArraySides implements SidePages {
  readonly bytes: Record<View, Uint8Array>;
  readonly held: Record<View, Uint8Array>;
  constructor(pages: number) {
    this.bytes = { private: new Uint8Array(pages * PAGE_BYTES), shared: new Uint8Array(pages * PAGE_BYTES) };
    this.held = { private: new Uint8Array(pages), shared: new Uint8Array(pages) };
  }
  peek(view: View, gpa: number, length: number): Uint8Array {
    return this.bytes[view].slice(gpa, gpa + length);
  }
  poke(view: View, gpa: number, bytes: Uint8Array): void {
    this.held[view][Math.floor(gpa / PAGE_BYTES)] = 1;
    this.bytes[view].set(bytes, gpa);
  }
  isZero(view: View, page: number): boolean {
    return this.bytes[view].subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES).every((byte) => byte === 0);
  }
  *resident(view: View, start: number, end: number): Generator<{ start: number; end: number }> {
    for (let page = start; page < end; page++) if (this.held[view][page] === 1) yield { start: page, end: page + 1 };
  }
  discard(view: View, start: number, end: number): number {
    this.bytes[view].fill(0, start * PAGE_BYTES, end * PAGE_BYTES);
    this.held[view].fill(0, start, end);
    return 0;
  }
}

/**
 * A guest's RAM with two views, and beside it what is true of every byte: who wrote it last, and what. An access through
 * a mapped view goes past the judge, as it does on a processor; any other is an exit.
 */
export class TwoViewMachine {
  readonly judge: ViewJudge;
  readonly sides: ArraySides;
  exits = 0;
  readonly #writer: (View | null)[] = [];
  readonly #value: Uint8Array;
  readonly #lost: Record<View, Set<number>> = { private: new Set(), shared: new Set() };

  constructor(pages: number) {
    this.sides = new ArraySides(pages);
    this.judge = new ViewJudge(this.sides, 'private', () => undefined);
    this.#value = new Uint8Array(pages * PAGE_BYTES);
  }

  write(view: View, gpa: number, data: Uint8Array): Judgement {
    for (const [index, value] of data.entries()) {
      this.#writer[gpa + index] = view;
      this.#value[gpa + index] = value;
      this.#lost.private.delete(gpa + index);
      this.#lost.shared.delete(gpa + index);
    }
    if (!this.#isMapped(view, gpa)) return this.#exit(view, gpa, true, data);
    this.sides.poke(view, gpa, data);
    return QUIET;
  }

  read(view: View, gpa: number, length: number): Judgement & { readonly data: Uint8Array } {
    if (this.#isMapped(view, gpa)) return { ...QUIET, data: this.sides.peek(view, gpa, length) };
    const data = new Uint8Array(length);
    return { ...this.#exit(view, gpa, false, data), data };
  }

  convert(start: number, end: number, to: View): ViewConversion {
    for (const run of this.judge.attributes.runs(start, end)) {
      if (run.value === to) continue;
      for (let at = run.start * PAGE_BYTES; at < run.end * PAGE_BYTES; at++) {
        this.#lost.private.delete(at);
        this.#lost.shared.delete(at);
        if (this.#writer[at] === otherView(to) && this.#value[at] !== 0) this.#lost[otherView(to)].add(at);
        this.#writer[at] = null;
        this.#value[at] = 0;
      }
    }
    return this.judge.convert(start, end, to);
  }

  /**
   * How many of the bytes that were just read were written through the other view last, or lost by a conversion:
   * `atMost` counts every such write, `atLeast` only those that read as something else than was written.
   */
  wrongBytes(view: View, gpa: number, data: Uint8Array): { readonly atLeast: number; readonly atMost: number } {
    let atLeast = 0;
    let atMost = 0;
    for (const [index, got] of data.entries()) {
      const lost = this.#lost[view].has(gpa + index);
      const other = this.#writer[gpa + index] === otherView(view);
      if (lost || other) atMost++;
      if (lost || (other && this.#value[gpa + index] !== got)) atLeast++;
    }
    return { atLeast, atMost };
  }

  #isMapped(view: View, gpa: number): boolean {
    const mapping = this.judge.mapping.at(Math.floor(gpa / PAGE_BYTES));
    return mapping === view || mapping === 'both';
  }

  #exit(view: View, gpa: number, isWrite: boolean, data: Uint8Array): Judgement {
    this.exits++;
    return this.judge.access({ gpa, view, isWrite, data });
  }
}
