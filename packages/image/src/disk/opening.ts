import type { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { closeSource } from '../source/closable-source.ts';
import { DEFAULT_SPILL, type SpillLimits } from '../source/spill-file.ts';
import { type BackingResolver, refuseBacking } from './backing.ts';
import type { OpenDiskOptions } from './disk.ts';
import type { Wrapping } from './disk-format.ts';
import { type Layer, layerOf } from './layer.ts';

/** What is kept in memory of a file, in bytes; of backing files and layers less, there may be many. */
const CACHE = { file: 2 ** 22, part: 2 ** 20 } as const;

/** What the steps of opening one disk share, and what has to be let go of afterwards. */
export class Opening {
  readonly budget: Budget;
  readonly backing: BackingResolver;
  readonly member: string | undefined;
  readonly notes: string[] = [];
  readonly wrappings: Wrapping[] = [];
  readonly #open: ByteSource[] = [];
  readonly #spill: SpillLimits;
  #unpacked = 0;
  #stored = 0;

  constructor(options: OpenDiskOptions) {
    this.budget = options.budget;
    this.backing = options.backing ?? refuseBacking;
    this.member = options.member;
    this.#spill = options.spill ?? DEFAULT_SPILL;
  }

  /** What may still be unpacked: the limits are for all layers of a disk together. */
  get spill(): SpillLimits {
    return {
      ...this.#spill,
      bytes: this.#spill.bytes - this.#unpacked,
      stored: this.#spill.stored - this.#stored,
    };
  }

  /** After something was unpacked, or read whole. */
  tookSpill(bytes: number, stored: number): void {
    this.#unpacked += bytes;
    this.#stored += stored;
  }

  /** To be read here and there. @param owned whether it is closed with the disk, if it can be */
  layer(medium: ByteSource, owned: 'owned' | 'given', use: keyof typeof CACHE = 'file'): Layer {
    if (owned === 'owned') this.#open.push(medium);
    return layerOf(medium, this.budget, CACHE[use]);
  }

  /** Lets go of one before the others. */
  release(medium: ByteSource): void {
    const index = this.#open.indexOf(medium);
    if (index >= 0) this.#open.splice(index, 1);
    closeSource(medium);
  }

  close(): void {
    for (const source of this.#open.splice(0)) closeSource(source);
  }
}
