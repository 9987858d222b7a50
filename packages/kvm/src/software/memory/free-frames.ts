/**
 * Which frame numbers are free: a bitmap with a bitmap of its words above it. The lowest free number is taken first,
 * so that a run of allocations is a run of frames and the same calls give the same frames.
 */
export class FreeFrames {
  /** A set bit is a free frame. */
  readonly #words: Uint32Array;
  /** A set bit is a word with a free frame. */
  readonly #groups: Uint32Array;
  /** No group below has a free frame. */
  #lowest = 0;
  #count = 0;

  /** All of [first, end) is free at the start. */
  constructor(first: number, end: number) {
    this.#words = new Uint32Array(Math.ceil(end / 32));
    this.#groups = new Uint32Array(Math.ceil(this.#words.length / 32));
    for (let frame = first; frame < end; frame++) this.put(frame);
  }

  get count(): number {
    return this.#count;
  }

  has(frame: number): boolean {
    return (((this.#words[frame >>> 5] ?? 0) >>> (frame & 31)) & 1) === 1;
  }

  /** The lowest free frame, taken; -1 where there is none. */
  take(): number {
    const groups = this.#groups;
    for (let group = this.#lowest; group < groups.length; group++) {
      const bits = groups[group] ?? 0;
      if (bits === 0) continue;
      this.#lowest = group;
      const word = group * 32 + lowestBit(bits);
      const frame = word * 32 + lowestBit(this.#words[word] ?? 0);
      this.takeAt(frame);
      return frame;
    }
    this.#lowest = groups.length;
    return -1;
  }

  /** Takes this frame; false where it isn't free. */
  takeAt(frame: number): boolean {
    if (!this.has(frame)) return false;
    const word = frame >>> 5;
    const left = (this.#words[word] ?? 0) & ~(1 << (frame & 31));
    this.#words[word] = left;
    if (left === 0) this.#groups[word >>> 5] = (this.#groups[word >>> 5] ?? 0) & ~(1 << (word & 31));
    this.#count -= 1;
    return true;
  }

  put(frame: number): void {
    const word = frame >>> 5;
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (frame & 31));
    const group = word >>> 5;
    this.#groups[group] = (this.#groups[group] ?? 0) | (1 << (word & 31));
    if (group < this.#lowest) this.#lowest = group;
    this.#count += 1;
  }
}

/** The number of the lowest set bit of a non-zero word. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
