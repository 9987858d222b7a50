import { FormatError } from '../../format-error.ts';

/** Reads numbers of up to 24 bits, the highest bit first, from a stretch of bytes. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #next: number;
  /** The lowest `#left` bits are still to be read; those above were. */
  #held = 0;
  #left = 0;

  /** @param what for the error at its end */
  constructor(bytes: Uint8Array, from: number, what: string) {
    this.#bytes = bytes;
    this.#next = from;
    this.#what = what;
  }

  /** Where the byte lies that the next bit is in. */
  get position(): number {
    return Math.min(this.#next - Math.ceil(this.#left / 8), this.#bytes.length);
  }

  /** @throws FormatError truncated */
  bits(count: number): number {
    const value = this.peek(count);
    this.skip(count);
    return value;
  }

  bit(): number {
    return this.bits(1);
  }

  /** The next bits, not yet read; what lies beyond the end is 0. */
  peek(count: number): number {
    while (this.#left < count) {
      const byte = this.#next < this.#bytes.length ? (this.#bytes[this.#next] as number) : 0;
      this.#next++;
      this.#held = (this.#held << 8) | byte;
      this.#left += 8;
    }
    return (this.#held >>> (this.#left - count)) & ((1 << count) - 1);
  }

  /** @param count at most what was looked at. @throws FormatError truncated */
  skip(count: number): void {
    this.#left -= count;
    if (this.#next - (this.#left >> 3) > this.#bytes.length)
      throw new FormatError('truncated', this.#what, this.#bytes.length, 'ends inside a number');
  }
}
