import { type Clock, MIN_PERIOD, NEVER } from './clock.ts';
import { PIT_CHANNEL_STATE, PIT_STATE2 } from './irqchip-structs.ts';
import { nanosecondsOf, PitChannel, type PitChannelState } from './pit-channel.ts';

/** KVM_CREATE_PIT2's flag: port 0x61 is the PIT's too. */
export const PIT_SPEAKER_DUMMY = 1;
/** Flags of struct kvm_pit_state2. */
const HPET_LEGACY = 1;
const SPEAKER_DATA_ON = 2;

const FIRST_PORT = 0x40;
const CONTROL_PORT = 0x43;
const SPEAKER_PORT = 0x61;

/** Most ticks that wait for a guest to take those before. KVM counts without end. */
const MAX_PENDING = 1000;

export interface PitOptions {
  readonly clock: Clock;
  /** KVM_PIT_SPEAKER_DUMMY: whether port 0x61 answers. */
  readonly hasSpeaker: boolean;
  /** One tick: an edge on interrupt line 0. */
  tick(): void;
}

/** All of a PIT, for a snapshot: KVM's struct lacks when the next tick is due, and the ticks that wait. */
export interface PitState {
  readonly hasSpeaker: boolean;
  readonly channels: readonly PitChannelState[];
  readonly flags: number;
  readonly period: number;
  readonly isPeriodic: boolean;
  readonly deadline: number;
  readonly reinjects: boolean;
  readonly pending: number;
  readonly isAcked: boolean;
}

/**
 * The 8254 as KVM has it (Intel data sheet 231244). Channel 0 ticks; ticks that the guest is too slow for are kept and
 * given to it one by one, each after the end of the one before (KVM_REINJECT_CONTROL's default).
 */
export class Pit {
  readonly #options: PitOptions;
  #channels: readonly PitChannel[] = [new PitChannel(1), new PitChannel(1), new PitChannel(0)];
  #flags = 0;
  #period = 0;
  #isPeriodic = false;
  #deadline = NEVER;
  #reinjects = true;
  #pending = 0;
  /** Whether the last tick was taken. */
  #isAcked = true;

  constructor(options: PitOptions) {
    this.#options = options;
    this.#loadAll();
  }

  /** Whether a port is the PIT's; only where an access begins counts, as in KVM. */
  hasPort(port: number): boolean {
    return (port >= FIRST_PORT && port <= CONTROL_PORT) || (port === SPEAKER_PORT && this.#options.hasSpeaker);
  }

  /** Ticks that wait. */
  get pendingTicks(): number {
    return this.#pending;
  }

  /** KVM_REINJECT_CONTROL. */
  set reinjects(value: boolean) {
    this.#reinjects = value;
    this.#forget();
  }

  /** The guest ended an interrupt of line 0. */
  acked(): void {
    this.#isAcked = true;
    if (this.#pending === 0) return;
    this.#pending -= 1;
    if (this.#pending > 0) this.#tick();
  }

  /** The guest masked or unmasked line 0: what it missed while it didn't listen is forgotten. */
  masked(isMasked: boolean): void {
    if (!isMasked) this.#forget();
  }

  nextDeadline(): number {
    return this.#deadline;
  }

  poll(now: number): void {
    if (now < this.#deadline) return;
    const ticks = this.#isPeriodic ? Math.floor((now - this.#deadline) / this.#period) + 1 : 1;
    this.#deadline = this.#isPeriodic ? this.#deadline + ticks * this.#period : NEVER;
    if (this.#reinjects) this.#pending = Math.min(this.#pending + ticks, MAX_PENDING);
    this.#tick();
  }

  /** Registers are bytes: a wider read has zeros above. */
  read(port: number, data: Uint8Array): void {
    data.fill(0);
    const now = this.#options.clock.now();
    if (port === SPEAKER_PORT) data[0] = this.#readSpeaker(now);
    // The control word can't be read.
    else if (port !== CONTROL_PORT) data[0] = this.#channels[port - FIRST_PORT]?.read(now) ?? 0;
  }

  write(port: number, data: Uint8Array): void {
    const [value = 0] = data;
    const now = this.#options.clock.now();
    if (port === SPEAKER_PORT) this.#writeSpeaker(value, now);
    else if (port === CONTROL_PORT) this.#writeControl(value, now);
    else if (this.#channels[port - FIRST_PORT]?.write(value, now) === true && port === FIRST_PORT) this.#start(now);
  }

  /** struct kvm_pit_state2. */
  save(): Uint8Array {
    const state = PIT_STATE2.make();
    const channels = state.part('channels');
    for (const [index, channel] of this.#channels.entries())
      channels.set(channel.save(), index * PIT_CHANNEL_STATE.size);
    return state.set('flags', this.#flags).bytes;
  }

  /** Takes a state over; channel 0 begins its count anew, as in KVM. */
  restore(bytes: Uint8Array): void {
    const now = this.#options.clock.now();
    const state = PIT_STATE2.at(bytes.slice().buffer);
    const channels = state.part('channels');
    for (const [index, channel] of this.#channels.entries())
      channel.restore(channels.slice(index * PIT_CHANNEL_STATE.size, (index + 1) * PIT_CHANNEL_STATE.size));
    this.#flags = state.get('flags') & (HPET_LEGACY | SPEAKER_DATA_ON);
    this.#start(now);
  }

  state(): PitState {
    return {
      hasSpeaker: this.#options.hasSpeaker,
      channels: this.#channels.map((channel) => channel.state()),
      flags: this.#flags,
      period: this.#period,
      isPeriodic: this.#isPeriodic,
      deadline: this.#deadline,
      reinjects: this.#reinjects,
      pending: this.#pending,
      isAcked: this.#isAcked,
    };
  }

  /** The count goes on where it was. */
  resume(state: PitState): void {
    for (const [index, channel] of state.channels.entries()) this.#channels[index]?.resume(channel);
    this.#flags = state.flags;
    this.#period = state.period;
    this.#isPeriodic = state.isPeriodic;
    this.#deadline = state.deadline;
    this.#reinjects = state.reinjects;
    this.#pending = state.pending;
    this.#isAcked = state.isAcked;
  }

  #loadAll(): void {
    const now = this.#options.clock.now();
    for (const channel of this.#channels) channel.write(0, now);
  }

  /** Channel 0 has a new count. Modes 0, 1 and 4 tick once, 2 and 3 again and again, and 5 never: its gate is fixed. */
  #start(now: number): void {
    const [channel] = this.#channels;
    this.#deadline = NEVER;
    if (channel === undefined || (this.#flags & HPET_LEGACY) !== 0 || ![0, 1, 2, 3, 4].includes(channel.mode)) return;
    const interval = nanosecondsOf(channel.count);
    this.#isPeriodic = channel.mode === 2 || channel.mode === 3;
    this.#period = this.#isPeriodic ? Math.max(interval, MIN_PERIOD) : interval;
    this.#deadline = now + interval;
    this.#forget();
  }

  #tick(): void {
    if (this.#reinjects && !this.#isAcked) return;
    this.#isAcked = false;
    this.#options.tick();
  }

  #forget(): void {
    this.#pending = 0;
    this.#isAcked = true;
  }

  #writeControl(value: number, now: number): void {
    if (value >>> 6 < 3) {
      this.#channels[value >>> 6]?.control(value, now);
      return;
    }
    for (const [index, channel] of this.#channels.entries()) {
      if ((value & (2 << index)) === 0) continue;
      // Both bits are active low.
      if ((value & 0x20) === 0) channel.latchCount(now);
      if ((value & 0x10) === 0) channel.latchStatus(now);
    }
  }

  /** Gate and output of channel 2, and a refresh clock that turns every 15 µs, here every 2^14 ns. */
  #readSpeaker(now: number): number {
    const [, , channel] = this.#channels;
    const refresh = Math.floor(now / 0x4000) & 1;
    const out = channel?.output(now) ?? 0;
    return (channel?.gate ?? 0) | (this.#flags & SPEAKER_DATA_ON) | (refresh << 4) | (out << 5);
  }

  #writeSpeaker(value: number, now: number): void {
    this.#flags = (this.#flags & ~SPEAKER_DATA_ON) | (value & SPEAKER_DATA_ON);
    this.#channels[2]?.setGate((value & 1) === 0 ? 0 : 1, now);
  }
}
