import type { GuestBytes } from '../memory/index.ts';
import type { TimeSource } from './time.ts';
import { SECOND } from './time.ts';
import { timeScale } from './time-scale.ts';
import type { Tsc } from './tsc.ts';

/** struct pvclock_vcpu_time_info and pvclock_wall_clock (asm/pvclock-abi.h; Documentation/virt/kvm/x86/msr.rst). */
const TIME_INFO = { version: 0, tsc: 8, systemTime: 16, multiplier: 24, shift: 28, flags: 29, bytes: 32 } as const;
const WALL_CLOCK = { version: 0, seconds: 4, nanoseconds: 8, bytes: 12 } as const;
/** PVCLOCK_TSC_STABLE_BIT: no vCPU's clock goes back behind another's. */
const TSC_STABLE = 1;
const ENABLED = 1;
const WORD = 2 ** 32;

/** A VM's kvm-clock: nanoseconds since its creation, or since what user space set it to (KVM_SET_CLOCK). */
export class VmClock {
  readonly time: TimeSource;
  #start: number;

  constructor(time: TimeSource) {
    this.time = time;
    this.#start = time.now();
  }

  now(): number {
    return this.time.now() - this.#start;
  }

  set(nanoseconds: number): void {
    this.#start = this.time.now() - nanoseconds;
  }

  /** When it was 0, in the time source's nanoseconds: for snapshots, whose time goes on where it was. */
  get start(): number {
    return this.#start;
  }

  resume(start: number): void {
    this.#start = start;
  }
}

/** One vCPU's kvm-clock, for a snapshot: the MSR's halves, and what was last written to the guest's page. */
export interface VcpuClockState {
  readonly high: number;
  readonly low: number;
  readonly page: Uint8Array;
}

/**
 * One vCPU's page of kvm-clock (MSR_KVM_SYSTEM_TIME). TSC and clock come from the same time, so that what is written
 * once stays right until one of them is set.
 */
export class VcpuClock {
  readonly #clock: VmClock;
  readonly #tsc: Tsc;
  readonly #guest: GuestBytes;
  readonly #info = new Uint8Array(TIME_INFO.bytes);
  readonly #view = new DataView(this.#info.buffer);
  /** The MSR: address of the structure, and bit 0. */
  #high = 0;
  #low = 0;

  constructor(clock: VmClock, tsc: Tsc, guest: GuestBytes) {
    this.#clock = clock;
    this.#tsc = tsc;
    this.#guest = guest;
  }

  get high(): number {
    return this.#high;
  }

  get low(): number {
    return this.#low;
  }

  /** A write of the MSR. A page that can't be written is no error: the guest sees no time. */
  set(high: number, low: number): void {
    this.#high = high;
    this.#low = low;
    this.refresh();
  }

  state(): VcpuClockState {
    return { high: this.#high, low: this.#low, page: this.#info.slice() };
  }

  /** Writes nothing: the guest's page is as it was. */
  resume({ high, low, page }: VcpuClockState): void {
    this.#high = high;
    this.#low = low;
    this.#info.set(page);
  }

  /** Writes the page anew: after the clock, the counter or its speed were set. */
  refresh(): void {
    if ((this.#low & ENABLED) === 0) return;
    const view = this.#view;
    const now = { high: 0, low: 0 };
    this.#tsc.read(now);
    const clock = Math.max(0, Math.floor(this.#clock.now()));
    const { multiplier, shift } = timeScale(this.#tsc.khz * 1000);
    // Odd while it is written: a guest reads it again until it finds the same even number twice.
    const version = (view.getUint32(TIME_INFO.version, true) + 1) | 1;
    view.setUint32(TIME_INFO.version, version, true);
    view.setUint32(TIME_INFO.tsc, now.low, true);
    view.setUint32(TIME_INFO.tsc + 4, now.high, true);
    view.setUint32(TIME_INFO.systemTime, clock % WORD, true);
    view.setUint32(TIME_INFO.systemTime + 4, Math.floor(clock / WORD), true);
    view.setUint32(TIME_INFO.multiplier, multiplier, true);
    view.setInt8(TIME_INFO.shift, shift);
    view.setUint8(TIME_INFO.flags, TSC_STABLE);
    const gpa = this.#high * WORD + ((this.#low & ~ENABLED) >>> 0);
    if (!this.#guest.write(gpa, this.#info)) return;
    view.setUint32(TIME_INFO.version, version + 1, true);
    this.#guest.write(gpa, this.#info.subarray(0, 4));
  }
}

/** A write of MSR_KVM_WALL_CLOCK: the wall clock at the time that kvm-clock was 0, once. */
export function writeWallClock(clock: VmClock, guest: GuestBytes, gpa: number): void {
  const found = new Uint8Array(4);
  if (gpa === 0 || !guest.read(gpa, found)) return;
  const version = new DataView(found.buffer).getUint32(0, true);
  const odd = (version | 1) >>> 0;
  const boot = clock.time.wallNow() - clock.now();
  const page = new Uint8Array(WALL_CLOCK.bytes);
  const view = new DataView(page.buffer);
  view.setUint32(WALL_CLOCK.version, odd, true);
  view.setUint32(WALL_CLOCK.seconds, Math.floor(boot / SECOND), true);
  view.setUint32(WALL_CLOCK.nanoseconds, Math.floor(boot % SECOND), true);
  if (!guest.write(gpa, page)) return;
  view.setUint32(WALL_CLOCK.version, odd + 1, true);
  guest.write(gpa, page.subarray(0, 4));
}
