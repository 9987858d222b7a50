import { ByteDevice } from '../device.ts';

/** Offset 0 selects (port 0x70), offset 1 is the selected byte (0x71). */
export const RTC_PORTS = 2;

/** Bytes behind the index register; bit 7 of the index masks NMIs, which nothing here sends. */
const CMOS_BYTES = 128;
/** Status A: 32.768 kHz time base, 1024 Hz periodic rate; the update bit is never seen set. */
const STATUS_A = 0x26;
/** Status B: 24-hour mode, BCD, no interrupts. */
const STATUS_B = 0x02;
/** Status D: the battery is good. */
const STATUS_D = 0x80;

/** What a byte shows. Motorola MC146818 data sheet; the century's place is the PC's. */
const ROWS: Readonly<Record<number, (now: Date) => number>> = {
  0x00: (now) => bcd(now.getUTCSeconds()),
  0x02: (now) => bcd(now.getUTCMinutes()),
  0x04: (now) => bcd(now.getUTCHours()),
  0x06: (now) => now.getUTCDay() + 1,
  0x07: (now) => bcd(now.getUTCDate()),
  0x08: (now) => bcd(now.getUTCMonth() + 1),
  0x09: (now) => bcd(now.getUTCFullYear() % 100),
  0x0a: () => STATUS_A,
  0x0b: () => STATUS_B,
  // Status C: no interrupt is pending.
  0x0c: () => 0,
  0x0d: () => STATUS_D,
  0x32: (now) => bcd(Math.floor(now.getUTCFullYear() / 100)),
};

export interface RtcCmosState {
  readonly index: number;
  readonly memory: readonly number[];
}

/**
 * The real-time clock: UTC as the host has it. It has no alarm and no interrupt, and the guest can't set it: writes to
 * the time and the status registers are dropped, the other bytes are memory.
 */
export class RtcCmos extends ByteDevice {
  override readonly name = 'rtc-cmos';
  readonly #now: () => Date;
  readonly #memory = new Uint8Array(CMOS_BYTES);
  #index = 0;

  constructor(now: () => Date) {
    super();
    this.#now = now;
  }

  override save(): RtcCmosState {
    return { index: this.#index, memory: [...this.#memory] };
  }

  override restore({ index, memory }: RtcCmosState): void {
    this.#index = index;
    this.#memory.set(memory);
  }

  protected override readByte(offset: number): number {
    if (offset === 0) return 0xff;
    return ROWS[this.#index]?.(this.#now()) ?? this.#memory[this.#index] ?? 0xff;
  }

  protected override writeByte(offset: number, value: number): void {
    if (offset === 0) this.#index = value & (CMOS_BYTES - 1);
    else if (ROWS[this.#index] === undefined) this.#memory[this.#index] = value;
  }
}

function bcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10);
}
