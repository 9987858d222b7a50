import { EventCounters } from '../../../src/software/irq/event-counters.ts';
import { InterruptControllers } from '../../../src/software/irq/interrupt-controllers.ts';
import type { ApicCpu, LocalApic } from '../../../src/software/irq/local-apic.ts';
import { TestClock } from './test-clock.ts';

/** What a local APIC asked of its vCPU, in order: 'nmi', 'init', 'startup 8'. */
export class TestCpu implements ApicCpu {
  readonly events: string[] = [];

  nmi(): void {
    this.events.push('nmi');
  }

  init(): void {
    this.events.push('init');
  }

  startup(vector: number): void {
    this.events.push(`startup ${vector}`);
  }
}

/** A descriptor that is open, and no eventfd. */
export const OTHER_FD = 77;

/** A VM's interrupt controllers with an irqchip and vCPUs 0 to n − 1. */
export class TestMachine {
  readonly clock = new TestClock();
  readonly counters: EventCounters;
  readonly controllers: InterruptControllers;
  readonly cpus: TestCpu[] = [];
  readonly apics: LocalApic[] = [];

  constructor(vcpus = 1, counters = EventCounters.create(16)) {
    this.counters = counters;
    this.controllers = new InterruptControllers({
      clock: this.clock,
      counters,
      isOtherDescriptor: (fd) => fd === OTHER_FD,
    });
    this.controllers.createIrqchip(0);
    for (let id = 0; id < vcpus; id += 1) {
      const cpu = new TestCpu();
      const apic = this.controllers.addVcpu({ id, isBoot: id === 0, tsc: this.clock, cpu });
      if (apic === null) throw new Error('no local APIC');
      this.cpus.push(cpu);
      this.apics.push(apic);
    }
  }

  apic(id = 0): LocalApic {
    const apic = this.apics[id];
    if (apic === undefined) throw new RangeError(`no vCPU ${id}`);
    return apic;
  }

  out(port: number, value: number): void {
    if (!this.controllers.writePort(port, Uint8Array.of(value))) throw new Error(`nobody has port ${port}`);
  }

  in(port: number): number {
    const data = Uint8Array.of(0xee);
    if (!this.controllers.readPort(port, data)) throw new Error(`nobody has port ${port}`);
    return data[0] ?? 0;
  }

  /** A 32-bit register of the xAPIC page. */
  lapicRead(offset: number, id = 0): number {
    return this.#read(0xfee0_0000 + offset, id);
  }

  lapicWrite(offset: number, value: number, id = 0): void {
    this.#write(0xfee0_0000 + offset, value, id);
  }

  ioApicRead(register: number): number {
    this.#write(0xfec0_0000, register, 0);
    return this.#read(0xfec0_0010, 0);
  }

  ioApicWrite(register: number, value: number): void {
    this.#write(0xfec0_0000, register, 0);
    this.#write(0xfec0_0010, value, 0);
  }

  /** A redirection entry, destination in `high`. */
  redirect(pin: number, low: number, high = 0): void {
    this.ioApicWrite(0x11 + pin * 2, high);
    this.ioApicWrite(0x10 + pin * 2, low);
  }

  /** Switches the local APIC of a vCPU on. */
  enable(id = 0): void {
    this.lapicWrite(0xf0, 0x1ff, id);
  }

  x2apic(id = 0): LocalApic {
    const apic = this.apic(id);
    apic.setFeatures({ x2apic: true, tscDeadline: true, physicalAddressBits: 40 });
    if (apic.writeMsr(0x1b, 0, (apic.baseLow | 0xc00) >>> 0) !== 'done') throw new Error('x2APIC is refused');
    apic.writeMsr(0x80f, 0, 0x1ff);
    return apic;
  }

  advance(nanoseconds: number): void {
    this.clock.time += nanoseconds;
    this.controllers.tick(this.clock.time);
  }

  take(id = 0): number {
    return this.controllers.takeInterrupt(this.apic(id));
  }

  #read(gpa: number, id: number): number {
    const data = new Uint8Array(4);
    if (!this.controllers.readMmio(this.apic(id), gpa, data)) throw new Error(`nobody has 0x${gpa.toString(16)}`);
    return new DataView(data.buffer).getUint32(0, true);
  }

  #write(gpa: number, value: number, id: number): void {
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, value >>> 0, true);
    if (!this.controllers.writeMmio(this.apic(id), gpa, data)) throw new Error(`nobody has 0x${gpa.toString(16)}`);
  }
}

/** The errno's symbol of what a call throws. */
export function errnoOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'accepted';
}
