import { FIFO_DEPTH, TRIGGER_LEVELS } from './registers.ts';

export interface ReceiverState {
  readonly bytes: readonly number[];
  readonly depth: number;
  readonly trigger: number;
  readonly overrun: boolean;
}

/** The receiver's FIFO; of depth one while FIFOs are off. */
export class Receiver {
  readonly #bytes: number[] = [];
  #depth = 1;
  #trigger = 1;
  #overrun = false;

  save(): ReceiverState {
    return { bytes: [...this.#bytes], depth: this.#depth, trigger: this.#trigger, overrun: this.#overrun };
  }

  restore({ bytes, depth, trigger, overrun }: ReceiverState): void {
    this.#bytes.splice(0, this.#bytes.length, ...bytes);
    this.#depth = depth;
    this.#trigger = trigger;
    this.#overrun = overrun;
  }

  /** FCR bit 0 and bits 7:6. Switching FIFOs on or off empties them. */
  configure(fifos: boolean, triggerCode: number): void {
    const depth = fifos ? FIFO_DEPTH : 1;
    if (depth !== this.#depth) this.clear();
    this.#depth = depth;
    this.#trigger = fifos ? (TRIGGER_LEVELS[triggerCode] ?? 1) : 1;
  }

  get room(): number {
    return this.#depth - this.#bytes.length;
  }

  get ready(): boolean {
    return this.#bytes.length > 0;
  }

  get atTrigger(): boolean {
    return this.#bytes.length >= this.#trigger;
  }

  /** A byte off the line; without room it is lost and the overrun is remembered, as the chip does it. */
  put(byte: number): void {
    if (this.room > 0) this.#bytes.push(byte);
    else this.#overrun = true;
  }

  /** The oldest byte; 0 where there is none. */
  take(): number {
    return this.#bytes.shift() ?? 0;
  }

  clear(): void {
    this.#bytes.length = 0;
  }

  get overrun(): boolean {
    return this.#overrun;
  }

  /** Reading LSR clears it. */
  clearOverrun(): void {
    this.#overrun = false;
  }
}
