import {
  APIC_BASE,
  APIC_BASE_MSR,
  APIC_DEFAULT_BASE,
  type ApicFeatures,
  type ApicMode,
  acceptsApicBase,
  apicAddress,
  apicMode,
  NO_FEATURES,
} from './apic-base.ts';
import { type ApicIdentity, x2apicLogicalId } from './apic-destination.ts';
import { ApicTimer, type ApicTimerState, timerMode } from './apic-timer.ts';
import type { Clock, TscClock } from './clock.ts';
import { DELIVERY, fromCommand, type InterruptMessage, SHORTHAND } from './interrupt-message.ts';
import {
  LAPIC,
  LAPIC_VERSION,
  type LapicRegister,
  LVT_MASKED,
  LVT_OFFSETS,
  lapicRegister,
  mayRead,
  mayWrite,
  SOFTWARE_ENABLED,
} from './lapic-registers.ts';
import { lapicStateOf, pageOfLapicState } from './lapic-state.ts';
import type { U64Words } from './u64-words.ts';
import { addVector, dropVector, hasVector, highestVector } from './vector-set.ts';

export const TSC_DEADLINE_MSR = 0x6e0;
export const X2APIC_MSRS = 0x800;
const X2APIC_MSR_COUNT = 0x100;

/** 'refused' is #GP for a guest, and a refusal of KVM_SET_MSRS or KVM_SET_SREGS for user space. */
export type MsrOutcome = 'done' | 'refused';

/** Bits of the x2APIC's ICR that must be 0: 31:20, 17:16 and 13. Bit 12, delivery status, is dropped. */
const COMMAND_RESERVED = 0xfff3_2000;
const COMMAND_BUSY = 1 << 12;
/** Bits of an LVT's timer mode: periodic, and TSC deadline where CPUID has it. */
const MODE_PERIODIC = 1 << 17;
const MODE_DEADLINE = 1 << 18;
const PAGE_WORDS = 256;

/** All of a local APIC, for a snapshot: KVM's struct has neither the base nor when the timer is due. */
export interface LocalApicState {
  readonly baseHigh: number;
  readonly baseLow: number;
  readonly page: Uint32Array;
  readonly timer: ApicTimerState;
}

/** The vCPU that a local APIC belongs to. */
export interface ApicCpu {
  nmi(): void;
  init(): void;
  /** A start-up IPI: the vCPU begins at `vector` × 4096. */
  startup(vector: number): void;
}

export interface LocalApicOptions {
  readonly id: number;
  /** Whether this vCPU boots (KVM_SET_BOOT_CPU_ID). */
  readonly isBoot: boolean;
  readonly clock: Clock;
  readonly tsc: TscClock;
  readonly cpu: ApicCpu;
  /** Sends what the ICR says to the VM's local APICs. */
  send(message: InterruptMessage, from: LocalApic): void;
  /** The end of an interrupt, for the IOAPIC. */
  ended(vector: number, isLevel: boolean): void;
}

/**
 * A vCPU's local APIC as KVM has it: xAPIC page, x2APIC MSRs, timer (Intel SDM vol. 3, chapter 12). Where KVM and the
 * SDM differ KVM is followed: no error is ever recorded (ESR reads 0), reserved bits of most registers are dropped.
 */
export class LocalApic implements ApicIdentity {
  readonly vcpuId: number;
  readonly isBoot: boolean;
  readonly timer = new ApicTimer();
  readonly #options: LocalApicOptions;
  readonly #page = new Uint32Array(PAGE_WORDS);
  #features: ApicFeatures = NO_FEATURES;
  #baseHigh = 0;
  #baseLow = 0;
  #mode: ApicMode = 'xapic';
  #address = APIC_DEFAULT_BASE;

  constructor(options: LocalApicOptions) {
    this.#options = options;
    this.vcpuId = options.id;
    this.isBoot = options.isBoot;
    this.#setBase(0, (APIC_DEFAULT_BASE | APIC_BASE.enable | (options.isBoot ? APIC_BASE.boot : 0)) >>> 0);
    this.reset();
  }

  /** What CPUID tells the guest; what is set already stays. */
  setFeatures(features: ApicFeatures): void {
    this.#features = features;
  }

  get mode(): ApicMode {
    return this.#mode;
  }

  /** Guest-physical address of the register page. */
  get address(): number {
    return this.#address;
  }

  get baseHigh(): number {
    return this.#baseHigh;
  }

  get baseLow(): number {
    return this.#baseLow;
  }

  get isX2apic(): boolean {
    return this.#mode === 'x2apic';
  }

  get id(): number {
    return this.isX2apic ? this.#get(LAPIC.id) : this.#get(LAPIC.id) >>> 24;
  }

  get logicalDestination(): number {
    return this.#get(LAPIC.logicalDestination);
  }

  get destinationFormat(): number {
    return this.#get(LAPIC.destinationFormat);
  }

  get isHardwareEnabled(): boolean {
    return this.#mode !== 'disabled';
  }

  get isSoftwareEnabled(): boolean {
    return (this.#get(LAPIC.spurious) & SOFTWARE_ENABLED) !== 0;
  }

  /** Whether the 8259 reaches this vCPU: LINT0 as virtual wire, or an APIC that is switched off. */
  get acceptsExternal(): boolean {
    if (!this.isHardwareEnabled) return true;
    const lint0 = this.#get(LAPIC.lvtLint0);
    return (lint0 & LVT_MASKED) === 0 && ((lint0 >>> 8) & 7) === DELIVERY.external;
  }

  /** CR8: the task priority's class. */
  get cr8(): number {
    return this.#get(LAPIC.taskPriority) >>> 4;
  }

  set cr8(value: number) {
    this.#set(LAPIC.taskPriority, (value & 0xf) << 4);
    this.#updatePriority();
  }

  /** The state after power-on or INIT; the base MSR stays, and with it the mode. */
  reset(): void {
    this.#page.fill(0);
    this.#set(LAPIC.version, LAPIC_VERSION);
    this.#setIdentity();
    this.#set(LAPIC.destinationFormat, 0xffff_ffff);
    this.#set(LAPIC.spurious, 0xff);
    for (const offset of LVT_OFFSETS) this.#set(offset, LVT_MASKED);
    // KVM_X86_QUIRK_LINT0_REENABLED, on by default: the vCPU that boots hears the 8259 from the start.
    if (this.isBoot) this.#set(LAPIC.lvtLint0, DELIVERY.external << 8);
    this.timer.reset();
  }

  /** The vector to inject: the highest that is requested and above the processor priority, or -1. */
  pendingVector(): number {
    if (this.#mode === 'disabled') return -1;
    const vector = highestVector(this.#page, LAPIC.request);
    return vector >>> 4 > this.#get(LAPIC.processorPriority) >>> 4 ? vector : -1;
  }

  /** The processor takes a vector: it is in service until its end. */
  acknowledge(vector: number): void {
    dropVector(this.#page, LAPIC.request, vector);
    addVector(this.#page, LAPIC.inService, vector);
    this.#updatePriority();
  }

  /** A message that is meant for this APIC. Answers whether it was taken. */
  accept(message: InterruptMessage): boolean {
    return this.#accept(message.delivery, message.vector, message.isLevel, message.isAsserted);
  }

  /** LINT1, wired to NMI. */
  signalLint1(): void {
    this.#fireLocal(LAPIC.lvtLint1);
  }

  /** A tick of the PIT where LINT0 delivers NMIs: the NMI watchdog of old guests. */
  signalLint0Watchdog(): void {
    if (((this.#get(LAPIC.lvtLint0) >>> 8) & 7) === DELIVERY.nmi) this.#fireLocal(LAPIC.lvtLint0);
  }

  /** When `poll` has something to do, in nanoseconds, or Infinity. */
  nextDeadline(): number {
    return this.timer.deadline;
  }

  /** Fires the timer where it is due. */
  poll(now: number): void {
    if (this.timer.expire(now)) this.#fireLocal(LAPIC.lvtTimer);
  }

  /** The time-stamp counter was set or changed its speed: an armed deadline lies elsewhere now. */
  tscChanged(): void {
    this.#armTsc(this.timer.tscHigh, this.timer.tscLow);
  }

  /** A read of the xAPIC page at `offset`; fills `data`. Holes and accesses across a register read as 0. */
  read(offset: number, data: Uint8Array): void {
    if (this.#mode !== 'xapic') {
      // KVM_X86_QUIRK_LAPIC_MMIO_HOLE, on by default: without an xAPIC its page answers as an empty bus.
      data.fill(0xff);
      return;
    }
    data.fill(0);
    const register = lapicRegister(offset);
    const within = offset & 0xf;
    if (register === undefined || !mayRead(register.xapic) || within + data.length > 4) return;
    const value = this.#read(register);
    for (let index = 0; index < data.length; index += 1) data[index] = value >>> ((within + index) * 8);
  }

  /** A write to the xAPIC page: of 32 bits at a register, or dropped. */
  write(offset: number, data: Uint8Array): void {
    if (this.#mode !== 'xapic' || data.length !== 4 || (offset & 0xf) !== 0) return;
    const register = lapicRegister(offset);
    if (register === undefined || !mayWrite(register.xapic)) return;
    const [a = 0, b = 0, c = 0, d = 0] = data;
    this.#write(register, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
  }

  /** Whether an MSR is one of the local APIC's. */
  static hasMsr(index: number): boolean {
    if (index === APIC_BASE_MSR || index === TSC_DEADLINE_MSR) return true;
    return index >= X2APIC_MSRS && index < X2APIC_MSRS + X2APIC_MSR_COUNT;
  }

  /** RDMSR of an MSR that `hasMsr` names. `into` is left alone where it is refused. */
  readMsr(index: number, into: U64Words): MsrOutcome {
    if (index === APIC_BASE_MSR) return answer(into, this.#baseHigh, this.#baseLow);
    if (index === TSC_DEADLINE_MSR) return answer(into, this.timer.tscHigh, this.timer.tscLow);
    const register = this.#x2apicRegister(index);
    if (register === undefined || !mayRead(register.x2apic)) return 'refused';
    const high = register.effect === 'command' ? this.#get(LAPIC.commandHigh) : 0;
    return answer(into, high, this.#read(register));
  }

  /** WRMSR; `isHost` for user space, which may enter any mode. */
  writeMsr(index: number, high: number, low: number, isHost = false): MsrOutcome {
    if (index === APIC_BASE_MSR) return this.#writeBase(high, low, isHost);
    if (index === TSC_DEADLINE_MSR) {
      if (this.isHardwareEnabled && this.timer.mode === 'tsc-deadline') this.#armTsc(high, low);
      return 'done';
    }
    const register = this.#x2apicRegister(index);
    if (register === undefined || !mayWrite(register.x2apic)) return 'refused';
    if (register.effect === 'command') {
      if ((low & COMMAND_RESERVED) !== 0) return 'refused';
      this.#set(LAPIC.commandHigh, high);
    } else if (high !== 0) return 'refused';
    if (register.effect === 'error-status' && low !== 0) return 'refused';
    if (register.effect === 'self-ipi' && low > 0xff) return 'refused';
    this.#write(register, low);
    return 'done';
  }

  /** KVM_GET_LAPIC: struct kvm_lapic_state. `wideIds`: KVM_X2APIC_API_USE_32BIT_IDS. */
  save(wideIds = false): Uint8Array {
    this.#set(LAPIC.timerCurrent, this.timer.current(this.#options.clock.now()));
    return lapicStateOf(this.#page, this.isX2apic, wideIds);
  }

  /**
   * KVM_SET_LAPIC. The mode is that of IA32_APIC_BASE, which must be set first.
   * Answers false (EINVAL) for another APIC's id with `wideIds`.
   */
  restore(bytes: Uint8Array, wideIds = false): boolean {
    const page = pageOfLapicState(bytes, this.isX2apic, wideIds);
    if (this.isX2apic && wideIds && page[LAPIC.id >>> 2] !== this.vcpuId) return false;
    this.#page.set(page);
    this.#set(LAPIC.version, LAPIC_VERSION);
    if (this.isX2apic) this.#set(LAPIC.logicalDestination, x2apicLogicalId(this.id));
    this.#updatePriority();
    const now = this.#options.clock.now();
    this.timer.reset();
    this.timer.setDivide(this.#get(LAPIC.timerDivide), now);
    this.timer.setMode(timerMode(this.#get(LAPIC.lvtTimer)));
    const initial = this.#get(LAPIC.timerInitial);
    const current = this.#get(LAPIC.timerCurrent);
    // A count of 0 with an initial one is a one-shot timer that fired.
    if (initial > 0 && (current > 0 || this.timer.mode === 'periodic')) this.timer.start(initial, now, current);
    return true;
  }

  state(): LocalApicState {
    const page = this.#page.slice();
    return { baseHigh: this.#baseHigh, baseLow: this.#baseLow, page, timer: this.timer.state() };
  }

  resume({ baseHigh, baseLow, page, timer }: LocalApicState): void {
    this.#setBase(baseHigh, baseLow);
    this.#page.set(page);
    this.timer.resume(timer);
  }

  #get(offset: number): number {
    return this.#page[offset >>> 2] ?? 0;
  }

  #set(offset: number, value: number): void {
    this.#page[offset >>> 2] = value;
  }

  #x2apicRegister(index: number): LapicRegister | undefined {
    return this.isX2apic ? lapicRegister((index - X2APIC_MSRS) << 4) : undefined;
  }

  #read(register: LapicRegister): number {
    if (register.offset === LAPIC.timerCurrent) return this.timer.current(this.#options.clock.now());
    return this.#get(register.offset);
  }

  #write(register: LapicRegister, written: number): void {
    const { offset, effect } = register;
    const value = (written & register.mask) >>> 0;
    switch (effect) {
      case 'none':
        this.#set(offset, value);
        break;
      case 'priority':
        this.#set(offset, value);
        this.#updatePriority();
        break;
      case 'end-of-interrupt':
        this.#end();
        break;
      case 'destination-format':
        this.#set(offset, value | 0x0fff_ffff);
        break;
      case 'spurious':
        this.#set(offset, value);
        if (!this.isSoftwareEnabled) for (const lvt of LVT_OFFSETS) this.#set(lvt, this.#get(lvt) | LVT_MASKED);
        break;
      case 'error-status':
        break;
      case 'command':
        this.#command(value & ~COMMAND_BUSY);
        break;
      case 'local-vector':
        this.#set(offset, this.#maskedWhileOff(value));
        break;
      case 'timer-mode':
        this.#set(offset, this.#maskedWhileOff(value & this.#timerBits()));
        if (this.timer.setMode(timerMode(this.#get(offset)))) this.#set(LAPIC.timerInitial, 0);
        break;
      case 'timer-count':
        if (this.timer.mode === 'tsc-deadline') break;
        this.#set(offset, value);
        this.timer.start(value, this.#options.clock.now());
        break;
      case 'timer-divide':
        this.#set(offset, value);
        this.timer.setDivide(value, this.#options.clock.now());
        break;
      case 'self-ipi':
        this.#command(((SHORTHAND.self << 18) | (written & 0xff)) >>> 0, false);
        break;
    }
  }

  #maskedWhileOff(value: number): number {
    return this.isSoftwareEnabled ? value : value | LVT_MASKED;
  }

  #timerBits(): number {
    return ~(MODE_PERIODIC | MODE_DEADLINE) | MODE_PERIODIC | (this.#features.tscDeadline ? MODE_DEADLINE : 0);
  }

  #command(low: number, isKept = true): void {
    if (isKept) this.#set(LAPIC.commandLow, low);
    const high = this.#get(LAPIC.commandHigh);
    this.#options.send(fromCommand(low, this.isX2apic ? high : high >>> 24), this);
  }

  #end(): void {
    const vector = highestVector(this.#page, LAPIC.inService);
    if (vector < 0) return;
    dropVector(this.#page, LAPIC.inService, vector);
    this.#updatePriority();
    this.#options.ended(vector, hasVector(this.#page, LAPIC.triggerMode, vector));
  }

  #accept(delivery: number, vector: number, isLevel: boolean, isAsserted: boolean): boolean {
    const { cpu } = this.#options;
    switch (delivery) {
      case DELIVERY.fixed:
      case DELIVERY.lowestPriority:
        if ((isLevel && !isAsserted) || !this.isSoftwareEnabled) return false;
        if (isLevel) addVector(this.#page, LAPIC.triggerMode, vector);
        else dropVector(this.#page, LAPIC.triggerMode, vector);
        addVector(this.#page, LAPIC.request, vector);
        return true;
      case DELIVERY.nmi:
        cpu.nmi();
        return true;
      case DELIVERY.init:
        if (isLevel && !isAsserted) return false;
        cpu.init();
        return true;
      case DELIVERY.startup:
        cpu.startup(vector);
        return true;
      default:
        // SMI: there is no system management mode. External: only LINT0 has it, and `acceptsExternal` says so.
        return false;
    }
  }

  #fireLocal(offset: number): void {
    const entry = this.#get(offset);
    if (!this.isHardwareEnabled || (entry & LVT_MASKED) !== 0) return;
    // The timer's entry has no delivery mode: it is always fixed.
    const delivery = offset === LAPIC.lvtTimer ? DELIVERY.fixed : (entry >>> 8) & 7;
    this.#accept(delivery, entry & 0xff, offset !== LAPIC.lvtTimer && (entry & (1 << 15)) !== 0, true);
  }

  /** PPR (SDM 12.8.3.1): the task priority, unless an interrupt of a higher class is in service. */
  #updatePriority(): void {
    const task = this.#get(LAPIC.taskPriority);
    const serviced = Math.max(0, highestVector(this.#page, LAPIC.inService)) & 0xf0;
    this.#set(LAPIC.processorPriority, (task & 0xf0) >= serviced ? task : serviced);
  }

  #armTsc(high: number, low: number): void {
    if (this.timer.mode !== 'tsc-deadline') return;
    const { clock, tsc } = this.#options;
    this.timer.armTsc(high, low, (high | low) === 0 ? 0 : tsc.nanosecondsAt(high, low));
    this.poll(clock.now());
  }

  #writeBase(high: number, low: number, isHost: boolean): MsrOutcome {
    if (!acceptsApicBase(this.#mode, high, low, this.#features, isHost)) return 'refused';
    const before = this.#mode;
    this.#setBase(high, low);
    if (this.#mode !== before && this.#mode !== 'disabled') this.#setIdentity();
    return 'done';
  }

  #setBase(high: number, low: number): void {
    this.#baseHigh = high;
    this.#baseLow = low;
    this.#mode = apicMode(low) ?? 'disabled';
    this.#address = apicAddress(high, low);
  }

  #setIdentity(): void {
    this.#set(LAPIC.id, this.isX2apic ? this.vcpuId : (this.vcpuId << 24) >>> 0);
    if (this.isX2apic) this.#set(LAPIC.logicalDestination, x2apicLogicalId(this.vcpuId));
  }
}

function answer(into: U64Words, high: number, low: number): MsrOutcome {
  into.high = high;
  into.low = low;
  return 'done';
}
