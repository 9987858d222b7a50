import type { U64 } from '../../port/u64.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { ApicBus } from './apic-bus.ts';
import { type Clock, NEVER, type TscClock } from './clock.ts';
import type { IsOtherDescriptor } from './descriptors.ts';
import type { EventCounters } from './event-counters.ts';
import { fromMsi } from './interrupt-message.ts';
import { IOAPIC_BASE, IOAPIC_BYTES, IoApic, type IoApicState } from './io-apic.ts';
import { Ioeventfds } from './ioeventfds.ts';
import { IRQCHIP } from './irqchip-structs.ts';
import { Irqfds } from './irqfds.ts';
import { type ApicCpu, LocalApic } from './local-apic.ts';
import { Pic, type PicState } from './pic.ts';
import { PIT_SPEAKER_DUMMY, Pit, type PitState } from './pit.ts';
import { type Chip, LINE_SOURCE, Routing, type RoutingState } from './routing.ts';

const LAPIC_BYTES = 0x1000;

export interface InterruptControllersOptions {
  readonly clock: Clock;
  /** The host's event counters: one set for all of its VMs. */
  readonly counters: EventCounters;
  readonly isOtherDescriptor: IsOtherDescriptor;
}

/** What a vCPU brings along for its local APIC. */
export interface VcpuWiring {
  readonly id: number;
  readonly isBoot: boolean;
  readonly tsc: TscClock;
  readonly cpu: ApicCpu;
}

/** The chips of KVM_CREATE_IRQCHIP. */
interface Irqchip {
  readonly pic: Pic;
  readonly ioApic: IoApic;
  readonly routing: Routing;
}

/** A VM's chips, for a snapshot; local APICs come with their vCPUs. */
export interface InterruptControllersState {
  /** `chips` is null where local APICs are alone. */
  readonly irqchip: 'none' | 'split' | 'full';
  readonly chips: { readonly pic: PicState; readonly ioApic: IoApicState; readonly lines: RoutingState } | null;
  readonly pit: PitState | null;
  readonly wideIds: boolean;
}

/**
 * A VM's interrupt controllers and timers, from its creation on: chips come by KVM_CREATE_IRQCHIP and KVM_CREATE_PIT2.
 * Everything here belongs to the VM's own thread. Other threads signal event counters, and the doorbell says so.
 */
export class InterruptControllers {
  readonly irqfds: Irqfds;
  readonly ioeventfds: Ioeventfds;
  readonly bus = new ApicBus();
  /** KVM_CAP_X2APIC_API: addresses of MSIs, and ids in KVM_GET_LAPIC, have 32 bits. */
  wideIds = false;
  readonly #clock: Clock;
  #irqchip: Irqchip | null = null;
  /** Local APICs alone: user space has the other chips (KVM_CAP_SPLIT_IRQCHIP). */
  #isSplit = false;
  #pit: Pit | null = null;

  constructor({ clock, counters, isOtherDescriptor }: InterruptControllersOptions) {
    this.#clock = clock;
    this.irqfds = new Irqfds({
      counters,
      isOther: isOtherDescriptor,
      hasIrqchip: () => this.hasIrqchip,
      canResample: () => this.#irqchip !== null,
      pulse: (gsi) => this.#irqchip?.routing.pulse(gsi, LINE_SOURCE.userSpace),
      hold: (gsi, level) => this.#irqchip?.routing.setLine(gsi, LINE_SOURCE.resample, level),
    });
    this.ioeventfds = new Ioeventfds(counters, isOtherDescriptor);
  }

  get hasIrqchip(): boolean {
    return this.#irqchip !== null || this.#isSplit;
  }

  get pit(): Pit | null {
    return this.#pit;
  }

  /** KVM_CREATE_IRQCHIP. @throws KvmError EEXIST for a second, EINVAL after a vCPU */
  createIrqchip(createdVcpus: number): void {
    if (this.hasIrqchip) throw failure('KVM_CREATE_IRQCHIP', ERRNO.EEXIST);
    if (createdVcpus > 0) throw failure('KVM_CREATE_IRQCHIP', ERRNO.EINVAL, 'there is a vCPU');
    const pic = new Pic({
      acked: (line) => this.#acked('pic', line),
      masked: (line, isMasked) => this.#masked('pic', line, isMasked),
    });
    const ioApic = new IoApic({
      clock: this.#clock,
      deliver: (message) => this.bus.deliver(message),
      acked: (pin) => this.#acked('io-apic', pin),
      masked: (pin, isMasked) => this.#masked('io-apic', pin, isMasked),
    });
    this.#irqchip = { pic, ioApic, routing: new Routing(pic, ioApic) };
  }

  /**
   * KVM_CAP_SPLIT_IRQCHIP: local APICs alone, interrupts come as MSIs. There are no routes for its reserved pins, so no
   * end of interrupt is ever told. @throws KvmError EEXIST where there is an irqchip, EINVAL after a vCPU
   */
  createSplit(createdVcpus: number): void {
    const call = 'KVM_ENABLE_CAP';
    if (this.hasIrqchip) throw failure(call, ERRNO.EEXIST);
    if (createdVcpus > 0) throw failure(call, ERRNO.EINVAL, 'there is a vCPU');
    this.#isSplit = true;
  }

  /** KVM_CREATE_PIT2. @throws KvmError EEXIST for a second, ENOENT without an irqchip */
  createPit2(flags = 0): void {
    if (this.#pit !== null) throw failure('KVM_CREATE_PIT2', ERRNO.EEXIST);
    const irqchip = this.#irqchip;
    if (irqchip === null) throw failure('KVM_CREATE_PIT2', ERRNO.ENOENT, 'no irqchip');
    this.#pit = new Pit({
      clock: this.#clock,
      hasSpeaker: (flags & PIT_SPEAKER_DUMMY) !== 0,
      tick: () => {
        irqchip.routing.pulse(0, LINE_SOURCE.pit);
        for (const apic of this.bus.apics) apic.signalLint0Watchdog();
      },
    });
  }

  /** A vCPU's local APIC, or null where the VM has no irqchip. */
  addVcpu({ id, isBoot, tsc, cpu }: VcpuWiring): LocalApic | null {
    if (!this.hasIrqchip) return null;
    const apic = new LocalApic({
      id,
      isBoot,
      tsc,
      cpu,
      clock: this.#clock,
      send: (message, from) => this.bus.deliver(message, from),
      ended: (vector, isLevel) => this.#irqchip?.ioApic.end(vector, isLevel),
    });
    this.bus.attach(apic);
    return apic;
  }

  /** KVM_IRQ_LINE. A line that leads nowhere is no error. @throws KvmError ENXIO without an irqchip */
  setIrqLine(gsi: number, level: 0 | 1): void {
    if (!this.hasIrqchip) throw failure('KVM_IRQ_LINE', ERRNO.ENXIO, 'no irqchip');
    this.#irqchip?.routing.setLine(gsi, LINE_SOURCE.userSpace, level === 1);
  }

  /**
   * KVM_SIGNAL_MSI. Answers how many vCPUs took it: 0 where the guest blocks it.
   * @throws KvmError EINVAL without an irqchip, and with 32-bit ids for an address whose bits 39:32 aren't 0
   */
  signalMsi(address: U64, data: number): number {
    if (!this.hasIrqchip) throw failure('KVM_SIGNAL_MSI', ERRNO.EINVAL, 'no irqchip');
    const whole = BigInt.asUintN(64, BigInt(address));
    const high = Number(whole >> 32n);
    if (this.wideIds && (high & 0xff) !== 0) throw failure('KVM_SIGNAL_MSI', ERRNO.EINVAL, 'address bits 39:32');
    return this.bus.deliver(fromMsi(Number(whole & 0xffff_ffffn), this.wideIds ? high : 0, data));
  }

  /** A guest's IN of data.length bytes. Answers false where the port isn't ours, and leaves `data` alone. */
  readPort(port: number, data: Uint8Array): boolean {
    if (this.#irqchip !== null && Pic.hasPort(port, data.length)) this.#irqchip.pic.read(port, data);
    else if (this.#pit?.hasPort(port) === true) this.#pit.read(port, data);
    else return false;
    return true;
  }

  /** A guest's OUT. Answers false where the port is neither ours nor a doorbell. */
  writePort(port: number, data: Uint8Array): boolean {
    if (this.#irqchip !== null && Pic.hasPort(port, data.length)) this.#irqchip.pic.write(port, data);
    else if (this.#pit?.hasPort(port) === true) this.#pit.write(port, data);
    else return this.ioeventfds.signal('pio', port, data.length, 0, lowOf(data));
    return true;
  }

  /** A read of a guest-physical address by the vCPU of `apic` (null: it has none). */
  readMmio(apic: LocalApic | null, gpa: number, data: Uint8Array): boolean {
    if (apic !== null && isWithin(gpa, apic.address, LAPIC_BYTES) && apic.isHardwareEnabled)
      apic.read(gpa - apic.address, data);
    else if (this.#irqchip !== null && isWithin(gpa, IOAPIC_BASE, IOAPIC_BYTES))
      this.#irqchip.ioApic.read(gpa - IOAPIC_BASE, data);
    else return false;
    return true;
  }

  /** A write; answers false where the address is neither ours nor a doorbell. */
  writeMmio(apic: LocalApic | null, gpa: number, data: Uint8Array): boolean {
    if (apic !== null && isWithin(gpa, apic.address, LAPIC_BYTES) && apic.isHardwareEnabled)
      apic.write(gpa - apic.address, data);
    else if (this.#irqchip !== null && isWithin(gpa, IOAPIC_BASE, IOAPIC_BYTES))
      this.#irqchip.ioApic.write(gpa - IOAPIC_BASE, data);
    else return this.ioeventfds.signal('mmio', gpa, data.length, highOf(data), lowOf(data));
    return true;
  }

  /** Fires what is due, and raises the lines whose eventfds were signalled. */
  tick(now: number): void {
    for (const apic of this.bus.apics) apic.poll(now);
    this.#pit?.poll(now);
    this.#irqchip?.ioApic.poll(now);
    this.irqfds.poll();
  }

  /** When `tick` has something to do by time alone, or Infinity. */
  nextDeadline(): number {
    let deadline = Math.min(this.#pit?.nextDeadline() ?? NEVER, this.#irqchip?.ioApic.nextDeadline() ?? NEVER);
    for (const apic of this.bus.apics) deadline = Math.min(deadline, apic.nextDeadline());
    return deadline;
  }

  /** Whether a vCPU has an interrupt to take: the one it would wake up for. */
  hasInterrupt(apic: LocalApic): boolean {
    return this.#hasExternal(apic) || apic.pendingVector() >= 0;
  }

  /**
   * Acknowledges the vCPU's interrupt and answers its vector, or -1: the 8259's before the local APIC's. To be called
   * where the vCPU can take it (IF set, no shadow): it counts as taken.
   */
  takeInterrupt(apic: LocalApic): number {
    if (this.#hasExternal(apic)) return this.#irqchip?.pic.acknowledge() ?? -1;
    const vector = apic.pendingVector();
    if (vector >= 0) apic.acknowledge(vector);
    return vector;
  }

  /** KVM_GET_IRQCHIP: the chip's own struct. @throws KvmError ENXIO without an irqchip, EINVAL for a chip that isn't */
  getIrqchip(chip: number): Uint8Array {
    const { pic, ioApic } = this.#required('KVM_GET_IRQCHIP');
    if (chip === IRQCHIP.picMaster) return pic.save('master');
    if (chip === IRQCHIP.picSlave) return pic.save('slave');
    if (chip === IRQCHIP.ioApic) return ioApic.save();
    throw failure('KVM_GET_IRQCHIP', ERRNO.EINVAL, `chip ${chip}`);
  }

  /** KVM_SET_IRQCHIP. @throws as getIrqchip */
  setIrqchip(chip: number, bytes: Uint8Array): void {
    const { pic, ioApic } = this.#required('KVM_SET_IRQCHIP');
    if (chip === IRQCHIP.picMaster) pic.restore('master', bytes);
    else if (chip === IRQCHIP.picSlave) pic.restore('slave', bytes);
    else if (chip === IRQCHIP.ioApic) ioApic.restore(bytes);
    else throw failure('KVM_SET_IRQCHIP', ERRNO.EINVAL, `chip ${chip}`);
  }

  /** Eventfds that are lines or doorbells of this VM. */
  get boundEventFds(): number {
    return this.irqfds.count + this.ioeventfds.count;
  }

  /** For snapshots. Eventfds aren't in it: they are the host's. */
  state(): InterruptControllersState {
    const irqchip = this.#irqchip;
    return {
      irqchip: irqchip !== null ? 'full' : this.#isSplit ? 'split' : 'none',
      chips:
        irqchip === null
          ? null
          : { pic: irqchip.pic.state(), ioApic: irqchip.ioApic.state(), lines: irqchip.routing.state() },
      pit: this.#pit?.state() ?? null,
      wideIds: this.wideIds,
    };
  }

  /** Makes the chips of a saved VM, as they were. Before its vCPUs. */
  resume({ irqchip, chips, pit, wideIds }: InterruptControllersState): void {
    if (irqchip === 'split') this.createSplit(0);
    if (irqchip === 'full') this.createIrqchip(0);
    if (pit !== null) this.createPit2(pit.hasSpeaker ? PIT_SPEAKER_DUMMY : 0);
    if (chips !== null) {
      this.#irqchip?.pic.resume(chips.pic);
      this.#irqchip?.ioApic.resume(chips.ioApic);
      this.#irqchip?.routing.resume(chips.lines);
    }
    if (pit !== null) this.#pit?.resume(pit);
    this.wideIds = wideIds;
  }

  /** The VM ends: its eventfds may be bound by others. */
  close(): void {
    this.irqfds.close();
  }

  #required(call: string): Irqchip {
    if (this.#irqchip === null) throw failure(call, ERRNO.ENXIO, 'no irqchip');
    return this.#irqchip;
  }

  #hasExternal(apic: LocalApic): boolean {
    return this.#irqchip?.pic.intr === true && apic.acceptsExternal;
  }

  #acked(chip: Chip, pin: number): void {
    const gsi = this.#irqchip?.routing.gsiOf(chip, pin) ?? -1;
    if (gsi < 0) return;
    this.irqfds.acked(gsi);
    if (gsi === 0) this.#pit?.acked();
  }

  #masked(chip: Chip, pin: number, isMasked: boolean): void {
    if (this.#irqchip?.routing.gsiOf(chip, pin) === 0) this.#pit?.masked(isMasked);
  }
}

function isWithin(gpa: number, base: number, bytes: number): boolean {
  return gpa >= base && gpa < base + bytes;
}

function lowOf(data: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = data;
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function highOf(data: Uint8Array): number {
  return data.length > 4 ? lowOf(data.subarray(4)) : 0;
}
