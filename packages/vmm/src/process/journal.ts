/** Entries numbered from 0: the latest are kept, all are counted. */
export class Journal<T extends { readonly seq: number }> {
  readonly #limit: number;
  #entries: T[] = [];
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  append(make: (seq: number) => T): T {
    const entry = make(this.#total++);
    this.#entries.push(entry);
    // Twice the limit before half is dropped: one copy in `limit` appends.
    if (this.#entries.length >= this.#limit * 2) this.#entries = this.#entries.slice(-this.#limit);
    return entry;
  }

  /** What is kept from a sequence number on, at most `limit` entries. */
  since(seq: number): readonly T[] {
    const kept = this.#entries.slice(-this.#limit);
    return kept.filter((entry) => entry.seq >= seq);
  }
}
