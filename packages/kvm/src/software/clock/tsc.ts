import type { Clock, TscClock, U64Words } from '../irq/index.ts';

const WORD = 2 ** 32;
/** Nanoseconds × kHz that make one tick. */
const SCALE = 1e6;

/** One vCPU's counter against its VM's clock, for a snapshot. */
export interface TscState {
  readonly khz: number;
  readonly offsetHigh: number;
  readonly offsetLow: number;
}

/** One vCPU's time-stamp counter: ticks of its VM's clock plus an offset, modulo 2^64. No bigint: timers use it. */
export class Tsc implements TscClock {
  readonly #clock: Clock;
  #khz: number;
  #offsetHigh = 0;
  #offsetLow = 0;

  constructor(clock: Clock, khz: number) {
    this.#clock = clock;
    this.#khz = khz;
  }

  get khz(): number {
    return this.#khz;
  }

  /** The counter keeps its value and runs on at another speed. */
  setKhz(khz: number): void {
    const now = { high: 0, low: 0 };
    this.read(now);
    this.#khz = khz;
    this.set(now.high, now.low);
  }

  /** Ticks without the offset: exact below 2^53. */
  ticks(): number {
    return Math.floor((this.#clock.now() * this.#khz) / SCALE);
  }

  /** What is added to the ticks. */
  get offsetHigh(): number {
    return this.#offsetHigh;
  }

  get offsetLow(): number {
    return this.#offsetLow;
  }

  read(into: U64Words): void {
    const ticks = this.ticks();
    const low = (ticks % WORD) + this.#offsetLow;
    into.low = low >>> 0;
    into.high = (Math.floor(ticks / WORD) + this.#offsetHigh + (low >= WORD ? 1 : 0)) >>> 0;
  }

  set(high: number, low: number): void {
    const ticks = this.ticks();
    const difference = low - (ticks % WORD);
    this.#offsetLow = difference >>> 0;
    this.#offsetHigh = (high - Math.floor(ticks / WORD) - (difference < 0 ? 1 : 0)) >>> 0;
  }

  /** Moves the counter by a signed 64-bit difference. */
  adjust(high: number, low: number): void {
    const sum = this.#offsetLow + low;
    this.#offsetLow = sum >>> 0;
    this.#offsetHigh = (this.#offsetHigh + high + (sum >= WORD ? 1 : 0)) >>> 0;
  }

  state(): TscState {
    return { khz: this.#khz, offsetHigh: this.#offsetHigh, offsetLow: this.#offsetLow };
  }

  resume({ khz, offsetHigh, offsetLow }: TscState): void {
    this.#khz = khz;
    this.#offsetHigh = offsetHigh;
    this.#offsetLow = offsetLow;
  }

  nanosecondsAt(high: number, low: number): number {
    const difference = low - this.#offsetLow;
    const ticksHigh = (high - this.#offsetHigh - (difference < 0 ? 1 : 0)) | 0;
    return ((ticksHigh * WORD + (difference >>> 0)) * SCALE) / this.#khz;
  }
}
