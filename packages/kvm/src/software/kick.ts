import type { Kicker, KickTarget } from '../port/vcpu.ts';

/**
 * The bit of a vCPU's event word that a kick sets. The others are the backend's own (an interrupt that waits): any bit
 * ends a block of instructions or a wait in HLT.
 */
export const KICKED = 1;

/**
 * Kicks a software vCPU, from any thread. The bit stays until the vCPU's own thread takes it (`Atomics.and`), as the
 * last thing of the `run` that answers `intr`: so a kick is never lost, and repeated ones are one.
 */
export class SoftwareKicker implements Kicker {
  readonly #words: Int32Array;
  readonly #index: number;

  /** TypeError for a target of another backend, RangeError for a word that isn't there. */
  constructor(target: KickTarget) {
    if (target.backend !== 'software') throw new TypeError(`a kick target of the ${target.backend} backend`);
    if (!(target.index in target.words)) throw new RangeError(`no word ${target.index} to kick`);
    this.#words = target.words;
    this.#index = target.index;
  }

  kick(): void {
    Atomics.or(this.#words, this.#index, KICKED);
    Atomics.notify(this.#words, this.#index);
  }
}
