/** An input in the making: a seed's bytes with changes that can be taken back, so that nobody copies megabytes for each. */

export type Order = 'little' | 'big';

export class Draft {
  readonly #seed: Buffer;
  #bytes: Buffer;
  readonly #undo: (readonly [at: number, was: Buffer])[] = [];
  #size: number;

  constructor(seed: Uint8Array) {
    this.#seed = Buffer.from(seed);
    this.#bytes = this.#seed;
    this.#size = seed.length;
  }

  get size(): number {
    return this.#size;
  }

  /** What is read: changes made later show. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Writes what lies inside. */
  write(at: number, bytes: Uint8Array): void {
    if (at < 0 || at >= this.#bytes.length) return;
    const fitting = bytes.subarray(0, this.#bytes.length - at);
    this.#undo.push([at, Buffer.from(this.#bytes.subarray(at, at + fitting.length))]);
    this.#bytes.set(fitting, at);
  }

  number(at: number, width: number, order: Order): bigint {
    let value = 0n;
    for (let index = 0; index < width; index++) {
      const byte = this.#bytes[order === 'big' ? at + index : at + width - 1 - index] ?? 0;
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }

  setNumber(at: number, width: number, order: Order, value: bigint): void {
    const bytes = Buffer.alloc(width);
    let rest = BigInt.asUintN(width * 8, value);
    for (let index = 0; index < width; index++) {
      bytes[order === 'big' ? width - 1 - index : index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    this.write(at, bytes);
  }

  cutTo(size: number): void {
    this.#size = Math.min(this.#size, Math.max(0, size));
  }

  /** Something else entirely, made of the seed. */
  replace(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  /** As the seed again. */
  restore(): void {
    this.#bytes = this.#seed;
    for (let last = this.#undo.pop(); last !== undefined; last = this.#undo.pop()) this.#bytes.set(last[1], last[0]);
    this.#size = this.#bytes.length;
  }
}
