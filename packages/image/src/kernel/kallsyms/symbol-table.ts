import { type AddressEncoding, KERNEL_HIGH, type SymbolAddresses } from './addresses.ts';
import type { SymbolNames } from './names.ts';

export interface SymbolAtAddress {
  readonly name: string;
  /** Bytes from the symbol's address. */
  readonly offset: number;
}

/** The kernel's own symbols. Names are decoded when asked for. */
export interface SymbolTable {
  readonly size: number;
  readonly encoding: AddressEncoding;
  /** Virtual address of the first symbol with exactly this name. */
  lookup(name: string): bigint | undefined;
  /** The symbol at or before a virtual address; undefined outside the kernel's own symbols. */
  symbolAt(address: bigint): SymbolAtAddress | undefined;
  /** All symbols in order of address, with kallsyms' type letter (t and T: code). */
  entries(): Generator<{ readonly name: string; readonly type: string; readonly address: bigint }>;
}

/** A decoded kallsyms. Its memory is that of the image: the names stay where they are. */
export class KallsymsTable implements SymbolTable {
  readonly encoding: AddressEncoding;
  readonly #segment: Uint8Array;
  readonly #tokens: readonly string[];
  readonly #names: SymbolNames;
  readonly #addresses: SymbolAddresses;

  constructor(segment: Uint8Array, tokens: readonly string[], names: SymbolNames, addresses: SymbolAddresses) {
    this.encoding = addresses.encoding;
    this.#segment = segment;
    this.#tokens = tokens;
    this.#names = names;
    this.#addresses = addresses;
  }

  get size(): number {
    return this.#names.count;
  }

  lookup(name: string): bigint | undefined {
    const segment = this.#segment;
    const { starts, count } = this.#names;
    // Nearly every symbol differs in its first token, which holds the type's letter and often more.
    const begins = Uint8Array.from(this.#tokens, (token) => (name.startsWith(token.slice(1)) ? 1 : 0));
    for (let i = 0; i < count; i++)
      if (begins[segment[starts[i] as number] as number] === 1 && this.#isNamed(i, name)) return this.#address(i);
    return undefined;
  }

  symbolAt(address: bigint): SymbolAtAddress | undefined {
    const { low, percpu } = this.#addresses;
    if (address >> 32n !== KERNEL_HIGH) return undefined;
    const wanted = Number(address & 0xffffffffn);
    if (wanted > (low.at(-1) ?? 0)) return undefined;
    // First symbol above `wanted`; of aliases at one address the first is named, as the kernel itself does.
    let after = this.#firstAbove(wanted);
    if (after === percpu) return undefined;
    const at = low[after - 1] as number;
    after--;
    while (after > percpu && low[after - 1] === at) after--;
    return { name: this.#spell(after).slice(1), offset: wanted - at };
  }

  *entries(): Generator<{ name: string; type: string; address: bigint }> {
    for (let i = 0; i < this.size; i++) {
      const spelt = this.#spell(i);
      yield { name: spelt.slice(1), type: spelt.slice(0, 1), address: this.#address(i) };
    }
  }

  #firstAbove(wanted: number): number {
    const { low, percpu } = this.#addresses;
    let from = percpu;
    let to = low.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((low[middle] as number) <= wanted) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #address(i: number): bigint {
    const low = BigInt(this.#addresses.low[i] as number);
    return i < this.#addresses.percpu ? low : (KERNEL_HIGH << 32n) | low;
  }

  /** The type letter and the name. */
  #spell(i: number): string {
    const start = this.#names.starts[i] as number;
    let spelt = '';
    for (let at = start; at < start + (this.#names.lengths[i] as number); at++)
      spelt += this.#tokens[this.#segment[at] as number] ?? '';
    return spelt;
  }

  /** Compares token by token. */
  #isNamed(i: number, name: string): boolean {
    const start = this.#names.starts[i] as number;
    const end = start + (this.#names.lengths[i] as number);
    // The first character is the type.
    let matched = -1;
    for (let at = start; at < end; at++) {
      const token = this.#tokens[this.#segment[at] as number] ?? '';
      if (matched >= 0 ? !name.startsWith(token, matched) : !name.startsWith(token.slice(1))) return false;
      matched += token.length;
    }
    return matched === name.length;
  }
}
