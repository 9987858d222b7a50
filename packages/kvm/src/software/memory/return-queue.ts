/** Gives `count` frames from `frame` on back to the operating system. */
export type GiveBack = (frame: number, count: number) => void;

/** Freed frames on their way back to the operating system, given in as few runs as they make. */
export class ReturnQueue {
  readonly #giveBack: GiveBack;
  #frames = new Int32Array(64);
  #count = 0;
  #runs = 0;

  constructor(giveBack: GiveBack) {
    this.#giveBack = giveBack;
  }

  get count(): number {
    return this.#count;
  }

  /** Runs given back so far. */
  get runs(): number {
    return this.#runs;
  }

  add(frame: number): void {
    if (this.#count === this.#frames.length) {
      const grown = new Int32Array(this.#count * 2);
      grown.set(this.#frames);
      this.#frames = grown;
    }
    this.#frames[this.#count++] = frame;
  }

  /** Gives all of them back, and tells each. */
  drain(each: (frame: number) => void): void {
    if (this.#count === 0) return;
    const frames = this.#frames.subarray(0, this.#count).sort();
    this.#count = 0;
    let start = 0;
    for (let at = 1; at <= frames.length; at++) {
      const first = frames[start] ?? 0;
      if (at < frames.length && frames[at] === first + at - start) continue;
      this.#giveBack(first, at - start);
      this.#runs += 1;
      start = at;
    }
    for (const frame of frames) each(frame);
  }
}
