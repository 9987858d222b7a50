/** Numbers of memslots: KVM has KVM_CAP_NR_MEMSLOTS of them for one VM. */
export class SlotNumbers {
  readonly limit: number;
  readonly #free: number[] = [];
  #next: number;
  readonly #first: number;

  constructor(limit: number, first = 0) {
    this.limit = limit;
    this.#first = first;
    this.#next = first;
  }

  get used(): number {
    return this.#next - this.#first - this.#free.length;
  }

  get available(): number {
    return this.limit - this.#next + this.#free.length;
  }

  /** RangeError where KVM has no more. */
  take(): number {
    const number = this.#free.pop() ?? this.#next++;
    if (number >= this.limit) {
      this.#next--;
      throw new RangeError(`this KVM has ${this.limit} memory slots and all are used`);
    }
    return number;
  }

  give(number: number): void {
    this.#free.push(number);
  }
}
