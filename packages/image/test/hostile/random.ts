/** Numbers that follow from a seed: the same seed and case make the same input on every machine. */

export class Random {
  #state: number;

  /** @param words whatever tells this case from others */
  constructor(...words: readonly (string | number)[]) {
    // FNV-1a, then mixed by `next`.
    let hash = 0x811c9dc5;
    for (const char of words.join('/')) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
    this.#state = hash >>> 0;
    for (let warm = 0; warm < 4; warm++) this.next();
  }

  /** 32 bits (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0 to below `end`, 2^53 at most; 0 for an end of 0. */
  below(end: number): number {
    return end <= 0 ? 0 : Math.floor(((this.next() * 2 ** 21 + (this.next() >>> 11)) / 2 ** 53) * end);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }
}
