import { FormatError } from '../format-error.ts';

/**
 * What one inspection may cost in all, shared by every layer of it. An image is its author's: whatever loop or length
 * it dictates is charged here, so that the sum is bounded although the parts are many.
 */
export class Budget {
  #bytes: number;
  #steps: number;

  /** @param bytes that may be read or unpacked in all. @param steps entries, extents, links, records looked at in all */
  constructor(bytes: number, steps: number) {
    this.#bytes = bytes;
    this.#steps = steps;
  }

  /** @throws FormatError over-budget */
  takeBytes(count: number, what: string, offset: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) throw new FormatError('over-budget', what, offset, 'more bytes than this inspection may read');
  }

  /** @throws FormatError over-budget */
  takeSteps(count: number, what: string, offset: number): void {
    this.#steps -= count;
    if (this.#steps < 0)
      throw new FormatError('over-budget', what, offset, 'more entries than this inspection may follow');
  }
}
