import { PIT_CHANNEL_STATE } from './irqchip-structs.ts';

/** Counts a second: a third of the 3.579545 MHz of NTSC's colour carrier, as KVM has it. */
export const PIT_FREQUENCY = 1_193_181;

/** Which bytes of a count are read and written (bits 5:4 of the control word); 4 is the second byte of `both`. */
const ACCESS = { latch: 0, low: 1, high: 2, both: 3, bothSecond: 4 } as const;
const MODE_UNSET = 0xff;
const WORD = 2 ** 32;

export function nanosecondsOf(counts: number): number {
  return (counts * 1e9) / PIT_FREQUENCY;
}

/** All of a counter, for a snapshot: KVM's struct has the time of loading in whole nanoseconds. */
export interface PitChannelState {
  /** struct kvm_pit_channel_state. */
  readonly registers: Uint8Array;
  readonly loadedAt: number;
}

/**
 * One counter of the 8254 (Intel data sheet 231244). Where KVM's differs, KVM is followed: counts are binary whatever
 * the control word says, a low gate stops nothing, and OUT is the data sheet's in modes 0 and 3 only.
 */
export class PitChannel {
  /** 1 to 65536. */
  #count = 0x1_0000;
  #mode = MODE_UNSET;
  #isBcd = 0;
  #gate: 0 | 1;
  /** Nanoseconds of the clock when counting began. */
  #loadedAt = 0;
  #access = 0;
  #readState = 0;
  #writeState = 0;
  #writeLatch = 0;
  #latched = 0;
  #latchState = 0;
  #status = 0;
  #statusLatched = 0;

  constructor(gate: 0 | 1) {
    this.#gate = gate;
  }

  get count(): number {
    return this.#count;
  }

  get mode(): number {
    return this.#mode;
  }

  get gate(): 0 | 1 {
    return this.#gate;
  }

  /** Modes 1, 2, 3 and 5 start anew where the gate rises. */
  setGate(gate: 0 | 1, now: number): void {
    if (gate > this.#gate && this.#mode !== 0 && this.#mode !== 4 && this.#mode !== MODE_UNSET) this.#loadedAt = now;
    this.#gate = gate;
  }

  /** The control word's bits 5:0. Answers whether it set a mode (else it latched the count). */
  control(value: number, now: number): boolean {
    const access = (value >>> 4) & 3;
    if (access === ACCESS.latch) {
      this.latchCount(now);
      return false;
    }
    this.#access = access;
    this.#readState = access;
    this.#writeState = access;
    const mode = (value >>> 1) & 7;
    this.#mode = mode > 5 ? mode - 4 : mode;
    this.#isBcd = value & 1;
    return true;
  }

  latchCount(now: number): void {
    if (this.#latchState !== 0) return;
    this.#latched = this.current(now);
    this.#latchState = this.#access;
  }

  /** Bit 6, null count, is always 0. */
  latchStatus(now: number): void {
    if (this.#statusLatched !== 0) return;
    this.#status = ((this.output(now) << 7) | (this.#access << 4) | (this.#mode << 1) | this.#isBcd) & 0xff;
    this.#statusLatched = 1;
  }

  read(now: number): number {
    if (this.#statusLatched !== 0) {
      this.#statusLatched = 0;
      return this.#status;
    }
    return this.#latchState === 0 ? this.#readCount(now) : this.#readLatch();
  }

  /** A byte of a count. Answers whether the count is whole, and counting begins. */
  write(value: number, now: number): boolean {
    switch (this.#writeState) {
      case ACCESS.high:
        this.#loadCount(value << 8, now);
        return true;
      case ACCESS.both:
        this.#writeLatch = value;
        this.#writeState = ACCESS.bothSecond;
        return false;
      case ACCESS.bothSecond:
        this.#loadCount(this.#writeLatch | (value << 8), now);
        this.#writeState = ACCESS.both;
        return true;
      default:
        this.#loadCount(value, now);
        return true;
    }
  }

  /** The counting element, 16 bits: it wraps in modes 0, 1, 4 and 5, and starts again in 2 and (by twos) 3. */
  current(now: number): number {
    const done = this.#elapsed(now);
    switch (this.#mode) {
      case 2:
        return (this.#count - (done % this.#count)) & 0xffff;
      case 3:
        return (this.#count - ((2 * done) % this.#count)) & 0xffff;
      default:
        return (this.#count - (done % 0x1_0000)) & 0xffff;
    }
  }

  /** The OUT pin. */
  output(now: number): 0 | 1 {
    const done = this.#elapsed(now);
    switch (this.#mode) {
      case 1:
        return done < this.#count ? 1 : 0;
      case 2:
        return done > 0 && done % this.#count === 0 ? 1 : 0;
      case 3:
        return done % this.#count < (this.#count + 1) >>> 1 ? 1 : 0;
      case 4:
      case 5:
        return done === this.#count ? 1 : 0;
      default:
        return done >= this.#count ? 1 : 0;
    }
  }

  /** struct kvm_pit_channel_state. */
  save(): Uint8Array {
    const state = PIT_CHANNEL_STATE.make();
    state.set('count', this.#count).set('latched_count', this.#latched).set('count_latched', this.#latchState);
    state.set('status_latched', this.#statusLatched).set('status', this.#status).set('read_state', this.#readState);
    state.set('write_state', this.#writeState).set('write_latch', this.#writeLatch).set('rw_mode', this.#access);
    state.set('mode', this.#mode).set('bcd', this.#isBcd).set('gate', this.#gate);
    const loadedAt = this.#loadedAt;
    // A 64-bit two's complement number: before the clock's beginning it is negative.
    state.view.setUint32(16, Math.floor(loadedAt) % WORD, true);
    state.view.setInt32(20, Math.floor(loadedAt / WORD), true);
    return state.bytes;
  }

  restore(bytes: Uint8Array): void {
    const state = PIT_CHANNEL_STATE.at(bytes.slice().buffer);
    const count = state.get('count');
    this.#count = count === 0 ? 0x1_0000 : Math.min(count, 0x1_0000);
    this.#latched = state.get('latched_count');
    this.#latchState = state.get('count_latched');
    this.#statusLatched = state.get('status_latched');
    this.#status = state.get('status');
    this.#readState = state.get('read_state');
    this.#writeState = state.get('write_state');
    this.#writeLatch = state.get('write_latch');
    this.#access = state.get('rw_mode');
    this.#mode = state.get('mode');
    this.#isBcd = state.get('bcd');
    this.#gate = state.get('gate') === 0 ? 0 : 1;
    this.#loadedAt = state.view.getInt32(20, true) * WORD + state.view.getUint32(16, true);
  }

  state(): PitChannelState {
    return { registers: this.save(), loadedAt: this.#loadedAt };
  }

  resume({ registers, loadedAt }: PitChannelState): void {
    this.restore(registers);
    this.#loadedAt = loadedAt;
  }

  #loadCount(value: number, now: number): void {
    this.#count = value === 0 ? 0x1_0000 : value;
    this.#loadedAt = now;
  }

  /** Whole counts since counting began. */
  #elapsed(now: number): number {
    return Math.max(0, Math.floor(((now - this.#loadedAt) * PIT_FREQUENCY) / 1e9));
  }

  #readLatch(): number {
    switch (this.#latchState) {
      case ACCESS.both:
        this.#latchState = ACCESS.high;
        return this.#latched & 0xff;
      case ACCESS.high:
        this.#latchState = 0;
        return this.#latched >>> 8;
      default:
        this.#latchState = 0;
        return this.#latched & 0xff;
    }
  }

  #readCount(now: number): number {
    const count = this.current(now);
    switch (this.#readState) {
      case ACCESS.both:
        this.#readState = ACCESS.bothSecond;
        return count & 0xff;
      case ACCESS.bothSecond:
        this.#readState = ACCESS.both;
        return count >>> 8;
      case ACCESS.high:
        return count >>> 8;
      default:
        return count & 0xff;
    }
  }
}
