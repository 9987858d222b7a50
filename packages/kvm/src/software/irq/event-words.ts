/**
 * The bit of a vCPU's event word that a signalled event counter sets; kick.ts has the bit of a kick. Any bit ends a
 * block of instructions or a wait in HLT.
 */
export const SIGNALLED = 2;

/** Most vCPUs of one host. */
const CAPACITY = 256;

/**
 * The event words of a host's vCPUs: the doorbell that any thread rings. A vCPU's thread looks at its own word between
 * blocks of instructions and sleeps on it in HLT (`Atomics.wait(words, index, 0)`), whoever the event is for.
 *
 * Nothing is lost where an event is stored first and rung then, and taken from the word first and looked for then.
 */
export class EventWords {
  /** Words of shared memory that it needs: how many are in use, and the words. */
  static readonly words = 1 + CAPACITY;

  readonly #words: Int32Array<SharedArrayBuffer>;
  /** Words that were given back; the thread that owns the vCPUs gives them out, no other. */
  readonly #free: number[] = [];

  /** The first `EventWords.words` words are ours. */
  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  /** For SoftwareKickTarget, and for engines that look at a word themselves. */
  get array(): Int32Array<SharedArrayBuffer> {
    return this.#words;
  }

  /** A word for a new vCPU: its index in `array`. RangeError over 256. */
  claim(): number {
    const index = this.#free.pop() ?? Atomics.load(this.#words, 0) + 1;
    if (index > CAPACITY) throw new RangeError(`a host has at most ${CAPACITY} vCPUs`);
    Atomics.store(this.#words, index, 0);
    if (index > Atomics.load(this.#words, 0)) Atomics.store(this.#words, 0, index);
    return index;
  }

  release(index: number): void {
    this.#free.push(index);
  }

  /** Tells every vCPU that a counter was signalled. */
  ring(): void {
    const count = Atomics.load(this.#words, 0);
    for (let index = 1; index <= count; index += 1) {
      Atomics.or(this.#words, index, SIGNALLED);
      Atomics.notify(this.#words, index);
    }
  }

  /** Whether it was rung since the last time it was asked. The counters are to be looked at after this. */
  takeSignalled(index: number): boolean {
    return (Atomics.and(this.#words, index, ~SIGNALLED) & SIGNALLED) !== 0;
  }
}
