import type { Tsc } from '../../clock/tsc.ts';
import type { U64Words } from '../../irq/index.ts';
import { give, type KeptMsr, type MsrAnswer, type MsrAsker, type MsrBank } from './msr-bank.ts';

const TSC = 0x10;
const TSC_ADJUST = 0x3b;

export const TIME_MSRS = [TSC, TSC_ADJUST];

export interface TimeMsrsOptions {
  readonly tsc: Tsc;
  /** The counter was set: deadlines and kvm-clock depend on it. */
  readonly changed: () => void;
}

/** The time-stamp counter and its adjustment (Intel SDM vol. 3, 18.17.3). */
export class TimeMsrs implements MsrBank {
  readonly #options: TimeMsrsOptions;
  /** IA32_TSC_ADJUST: what was added to the counter by the guest. */
  #adjustHigh = 0;
  #adjustLow = 0;
  readonly #now = { high: 0, low: 0 };

  constructor(options: TimeMsrsOptions) {
    this.#options = options;
  }

  read(index: number, into: U64Words): MsrAnswer {
    switch (index) {
      case TSC:
        this.#options.tsc.read(into);
        return 'done';
      case TSC_ADJUST:
        return give(into, this.#adjustHigh, this.#adjustLow);
      default:
        return 'unknown';
    }
  }

  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer {
    const { tsc } = this.#options;
    switch (index) {
      case TSC:
        // What a guest writes counts as an adjustment, what user space writes is another start.
        tsc.read(this.#now);
        if (asker === 'guest') this.#addToAdjust(high, low, this.#now.high, this.#now.low);
        tsc.set(high, low);
        break;
      case TSC_ADJUST: {
        const { high: byHigh, low: byLow } = difference(high, low, this.#adjustHigh, this.#adjustLow);
        if (asker === 'guest') tsc.adjust(byHigh, byLow);
        this.#adjustHigh = high;
        this.#adjustLow = low;
        break;
      }
      default:
        return 'unknown';
    }
    this.#options.changed();
    return 'done';
  }

  kept(): readonly KeptMsr[] {
    return [[TSC_ADJUST, this.#adjustHigh, this.#adjustLow]];
  }

  keep(values: readonly KeptMsr[]): void {
    for (const [index, high, low] of values)
      if (index === TSC_ADJUST) [this.#adjustHigh, this.#adjustLow] = [high, low];
  }

  #addToAdjust(high: number, low: number, fromHigh: number, fromLow: number): void {
    const by = difference(high, low, fromHigh, fromLow);
    const sum = this.#adjustLow + by.low;
    this.#adjustLow = sum >>> 0;
    this.#adjustHigh = (this.#adjustHigh + by.high + (sum >= 2 ** 32 ? 1 : 0)) >>> 0;
  }
}

function difference(high: number, low: number, fromHigh: number, fromLow: number): U64Words {
  const lower = low - fromLow;
  return { high: (high - fromHigh - (lower < 0 ? 1 : 0)) >>> 0, low: lower >>> 0 };
}
