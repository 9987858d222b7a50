import { type Clock, NEVER } from './clock.ts';
import { fromRedirection, type InterruptMessage } from './interrupt-message.ts';
import { IOAPIC_STATE } from './irqchip-structs.ts';

export const IOAPIC_BASE = 0xfec0_0000;
/** Bytes that KVM answers for, from the base on. */
export const IOAPIC_BYTES = 0x100;
export const IOAPIC_PINS = 24;

/** The two registers in memory: which of the others is meant, and its value (82093AA data sheet, 3.1). */
const SELECT = 0x00;
const WINDOW = 0x10;
/** The registers behind them. */
const ID = 0x00;
const VERSION = 0x01;
const ARBITRATION = 0x02;
const FIRST_ENTRY = 0x10;
/** Version 0x11, as KVM's. */
const VERSION_VALUE = 0x11 | ((IOAPIC_PINS - 1) << 16);

const LEVEL = 1 << 15;
const MASKED = 1 << 16;
/** Remote IRR and delivery status: a guest can't write them. */
const REMOTE_IRR = 1 << 14;
const READ_ONLY = REMOTE_IRR | (1 << 12);

/** A level that stays up is delivered again at each end of interrupt; after so many in a row the guest gets air. */
const STORM_COUNT = 10_000;
const STORM_PAUSE = 10_000_000;

export interface IoApicOptions {
  readonly clock: Clock;
  /** Answers how many local APICs took the message. */
  deliver(message: InterruptMessage): number;
  /** An interrupt of a pin ended. */
  acked(pin: number): void;
  /** A guest masked or unmasked a pin. */
  masked(pin: number, isMasked: boolean): void;
}

/** All of an IOAPIC, for a snapshot: KVM's struct lacks the lines themselves, and storms. A number a pin, a bit a pin. */
export interface IoApicState {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly storm: Uint32Array;
  readonly select: number;
  readonly id: number;
  readonly lines: number;
  readonly delivered: number;
  readonly paused: number;
  readonly pauseEnd: number;
}

/** The 82093AA as KVM has it. Edges while masked are lost; a level is delivered once it is unmasked. */
export class IoApic {
  readonly #options: IoApicOptions;
  readonly #high = new Uint32Array(IOAPIC_PINS);
  readonly #low = new Uint32Array(IOAPIC_PINS);
  /** Consecutive deliveries by end of interrupt, a pin. */
  readonly #storm = new Uint32Array(IOAPIC_PINS);
  #select = 0;
  #id = 0;
  /** Lines that are up, a bit a pin. */
  #lines = 0;
  /** Edges that were taken by a local APIC: not to be delivered again by a restore. */
  #delivered = 0;
  /** Pins that pause after a storm, and until when. */
  #paused = 0;
  #pauseEnd = NEVER;

  constructor(options: IoApicOptions) {
    this.#options = options;
    this.reset();
  }

  reset(): void {
    this.#high.fill(0);
    this.#low.fill(MASKED);
    this.#storm.fill(0);
    this.#select = 0;
    this.#id = 0;
    this.#lines = 0;
    this.#delivered = 0;
    this.#paused = 0;
    this.#pauseEnd = NEVER;
  }

  /** A line goes up or down. A line that is up already makes no edge. */
  setLine(pin: number, level: boolean): void {
    const bit = 1 << pin;
    if (!level) {
      this.#lines &= ~bit;
      return;
    }
    const wasUp = (this.#lines & bit) !== 0;
    this.#lines |= bit;
    if (!this.#isLevel(pin)) {
      this.#delivered &= ~bit;
      if (wasUp) return;
    }
    this.#service(pin);
  }

  /** The end of an interrupt on a local APIC; `isLevel` as that APIC took it. */
  end(vector: number, isLevel: boolean): void {
    for (let pin = 0; pin < IOAPIC_PINS; pin += 1)
      if (((this.#low[pin] ?? 0) & 0xff) === vector) this.#endPin(pin, isLevel);
  }

  /** When `poll` has something to do, or Infinity. */
  nextDeadline(): number {
    return this.#pauseEnd;
  }

  poll(now: number): void {
    if (now < this.#pauseEnd) return;
    const pins = this.#paused;
    this.#paused = 0;
    this.#pauseEnd = NEVER;
    for (let pin = 0; pin < IOAPIC_PINS; pin += 1)
      if ((pins & this.#lines & (1 << pin)) !== 0 && this.#isLevel(pin)) this.#service(pin);
  }

  /** A read at an offset below IOAPIC_BYTES; fills `data`. */
  read(offset: number, data: Uint8Array): void {
    const value = offset === SELECT ? this.#select : offset === WINDOW ? this.#readRegister() : 0;
    for (let index = 0; index < data.length; index += 1) data[index] = index < 4 ? value >>> (index * 8) : 0;
  }

  write(offset: number, data: Uint8Array): void {
    const [a = 0, b = 0, c = 0, d = 0] = data;
    const value = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
    if (offset === SELECT) this.#select = value & 0xff;
    else if (offset === WINDOW) this.#writeRegister(value);
  }

  /** struct kvm_ioapic_state. */
  save(): Uint8Array {
    const state = IOAPIC_STATE.make();
    state.set('base_address', IOAPIC_BASE).set('ioregsel', this.#select).set('id', this.#id);
    state.set('irr', (this.#lines & ~this.#delivered) >>> 0);
    const table = state.part('redirtbl');
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let pin = 0; pin < IOAPIC_PINS; pin += 1) {
      view.setUint32(pin * 8, this.#low[pin] ?? 0, true);
      view.setUint32(pin * 8 + 4, this.#high[pin] ?? 0, true);
    }
    return state.bytes;
  }

  /** Takes a state over; lines that it has up are raised again. */
  restore(bytes: Uint8Array): void {
    const state = IOAPIC_STATE.at(bytes.slice().buffer);
    this.reset();
    this.#select = state.get('ioregsel') & 0xff;
    this.#id = state.get('id') & 0xf;
    const table = state.part('redirtbl');
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let pin = 0; pin < IOAPIC_PINS; pin += 1) {
      this.#low[pin] = view.getUint32(pin * 8, true);
      this.#high[pin] = view.getUint32(pin * 8 + 4, true);
    }
    const lines = state.get('irr');
    for (let pin = 0; pin < IOAPIC_PINS; pin += 1) if ((lines & (1 << pin)) !== 0) this.setLine(pin, true);
  }

  state(): IoApicState {
    return {
      high: this.#high.slice(),
      low: this.#low.slice(),
      storm: this.#storm.slice(),
      select: this.#select,
      id: this.#id,
      lines: this.#lines,
      delivered: this.#delivered,
      paused: this.#paused,
      pauseEnd: this.#pauseEnd,
    };
  }

  /** Takes a state over, and delivers nothing: what was delivered is in the local APICs. */
  resume(state: IoApicState): void {
    this.#high.set(state.high);
    this.#low.set(state.low);
    this.#storm.set(state.storm);
    this.#select = state.select;
    this.#id = state.id;
    this.#lines = state.lines;
    this.#delivered = state.delivered;
    this.#paused = state.paused;
    this.#pauseEnd = state.pauseEnd;
  }

  #isLevel(pin: number): boolean {
    return ((this.#low[pin] ?? 0) & LEVEL) !== 0;
  }

  #service(pin: number): void {
    const low = this.#low[pin] ?? 0;
    if ((low & MASKED) !== 0) return;
    const isLevel = (low & LEVEL) !== 0;
    if (isLevel && (low & REMOTE_IRR) !== 0) return;
    if (!isLevel) this.#delivered |= 1 << pin;
    const taken = this.#options.deliver(fromRedirection(this.#high[pin] ?? 0, low));
    if (isLevel && taken > 0) this.#low[pin] = low | REMOTE_IRR;
  }

  #endPin(pin: number, isLevel: boolean): void {
    // First those who hold the line: they may take it down.
    this.#options.acked(pin);
    if (!isLevel || !this.#isLevel(pin)) return;
    const low = (this.#low[pin] ?? 0) & ~REMOTE_IRR;
    this.#low[pin] = low;
    if ((low & MASKED) !== 0 || (this.#lines & (1 << pin)) === 0) {
      this.#storm[pin] = 0;
      return;
    }
    const count = (this.#storm[pin] ?? 0) + 1;
    this.#storm[pin] = count === STORM_COUNT ? 0 : count;
    if (count === STORM_COUNT) {
      this.#paused |= 1 << pin;
      this.#pauseEnd = this.#options.clock.now() + STORM_PAUSE;
    } else this.#service(pin);
  }

  #readRegister(): number {
    switch (this.#select) {
      case VERSION:
        return VERSION_VALUE;
      case ID:
      case ARBITRATION:
        return this.#id << 24;
      default: {
        const pin = (this.#select - FIRST_ENTRY) >> 1;
        if (pin < 0 || pin >= IOAPIC_PINS) return 0xffff_ffff;
        return ((this.#select & 1) === 1 ? this.#high[pin] : this.#low[pin]) ?? 0;
      }
    }
  }

  #writeRegister(value: number): void {
    if (this.#select === ID) this.#id = (value >>> 24) & 0xf;
    const pin = (this.#select - FIRST_ENTRY) >> 1;
    if (pin < 0 || pin >= IOAPIC_PINS) return;
    if ((this.#select & 1) === 1) this.#high[pin] = value;
    else this.#writeEntry(pin, value);
  }

  #writeEntry(pin: number, value: number): void {
    const before = this.#low[pin] ?? 0;
    let low = (value & ~READ_ONLY) | (before & READ_ONLY);
    // Linux and Xen clear a stuck remote IRR by making the entry edge-triggered for a moment.
    if ((low & LEVEL) === 0) low &= ~REMOTE_IRR;
    this.#low[pin] = low;
    if (((before ^ low) & MASKED) !== 0) this.#options.masked(pin, (low & MASKED) !== 0);
    if ((low & LEVEL) !== 0 && (this.#lines & (1 << pin)) !== 0) this.#service(pin);
  }
}
