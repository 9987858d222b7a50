/** Values by number, the least recently used dropped once they weigh more than allowed; one always stays. */
export class LruCache<Value> {
  /** A Map remembers the order in which its keys were set: the first is the one not used for longest. */
  readonly #entries = new Map<number, { readonly value: Value; readonly weight: number }>();
  readonly #capacity: number;
  #weight = 0;

  /** @param capacity in the unit of the weights given to `set` */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What all that is kept weighs. */
  get weight(): number {
    return this.#weight;
  }

  get(key: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  has(key: number): boolean {
    return this.#entries.has(key);
  }

  set(key: number, value: Value, weight: number): void {
    this.delete(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const [oldest] of this.#entries) {
      if (this.#weight <= this.#capacity || oldest === key) break;
      this.delete(oldest);
    }
  }

  delete(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
