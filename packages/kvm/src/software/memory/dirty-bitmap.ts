/** Which pages of a slot were written since the log was read: one bit a page, in words of 64 (KVM_GET_DIRTY_LOG). */
export class DirtyBitmap {
  #bits: Uint8Array;

  constructor(pages: number) {
    this.#bits = new Uint8Array(Math.ceil(pages / 64) * 8);
  }

  mark(page: number): void {
    const at = Math.floor(page / 8);
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (page & 7));
  }

  isMarked(page: number): boolean {
    return (((this.#bits[Math.floor(page / 8)] ?? 0) >>> (page & 7)) & 1) === 1;
  }

  get bytes(): Uint8Array {
    return this.#bits;
  }

  /** The log, which starts anew. */
  take(): Uint8Array {
    const taken = this.#bits;
    this.#bits = new Uint8Array(taken.length);
    return taken;
  }

  /** A saved log. */
  load(bytes: Uint8Array): void {
    this.#bits.set(bytes);
  }
}
