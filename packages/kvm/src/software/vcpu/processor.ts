import { type Engine, layout, STATE_BYTES } from '@unpin/x86';
import type { GuestException } from '../../port/vcpu.ts';
import type { CpuidEntry } from '../../port/vcpu-state.ts';
import { VcpuClock } from '../clock/kvm-clock.ts';
import { Tsc } from '../clock/tsc.ts';
import type { ApicCpu, LocalApic } from '../irq/index.ts';
import { KICKED } from '../kick.ts';
import type { VmParts } from '../vm-parts.ts';
import { DISABLE_EXITS_HLT } from '../vm-settings.ts';
import type { CoreGuest } from './core.ts';
import { apicFeatures, CpuidTable } from './cpuid-table.ts';
import type { QueuedException } from './events.ts';
import { GuestFill } from './guest-fill.ts';
import { MmioPort } from './mmio-port.ts';
import { MP_STATE } from './mp-state.ts';
import type { ProcessorState } from './processor-state.ts';
import { cBitMask, initRegisters, reservedMask, resetRegisters, startAt } from './reset-state.ts';
import { ToldException } from './told-exception.ts';

const WORD = 2 ** 32;

/** One virtual processor: its registers on the core, its local APIC, its clock, and what waits for it. */
export class Processor implements CoreGuest, ApicCpu {
  readonly id: number;
  readonly saved = new Uint8Array(STATE_BYTES);
  readonly counter: Tsc;
  readonly clock: VcpuClock;
  readonly apic: LocalApic | null;
  readonly memory: GuestFill;
  readonly devices: MmioPort;
  /** Which of the host's event words is this one's. */
  readonly eventWord: number;
  /** KVM_MP_STATE_*. */
  mpState: number;
  /** An exception that user space has queued. */
  queued: QueuedException | null = null;
  /** A vector of KVM_INTERRUPT, or one whose delivery was cut short: -1 for none. */
  interrupt = -1;
  nmiPending = false;
  sipiVector = 0;
  hasRun = false;
  /** A wait that no timer ends within an hour is left. */
  leavesForGood = false;
  readonly #vm: VmParts;
  readonly #words: Int32Array<SharedArrayBuffer>;
  #cpuid = new CpuidTable([]);
  readonly #now = { high: 0, low: 0 };
  readonly #toldException = new ToldException();
  #told: ((exception: GuestException) => void) | null = null;
  #initPending = false;
  #startPending = false;

  constructor(vm: VmParts, id: number) {
    const isBoot = id === vm.settings.bootCpuId;
    this.id = id;
    this.#vm = vm;
    this.#words = vm.eventWords.array;
    this.eventWord = vm.eventWords.claim();
    this.counter = new Tsc(vm.time, vm.tscKhz);
    this.counter.set(0, 0);
    this.clock = new VcpuClock(vm.clock, this.counter, vm.guest);
    this.apic = vm.controllers.addVcpu({ id, isBoot, tsc: this.counter, cpu: this });
    this.memory = new GuestFill(vm.space, () => this.engine.cpu.word(layout.COMPLETING) !== 0);
    this.devices = new MmioPort({
      controllers: vm.controllers,
      apic: () => this.apic,
      apicWritten: () => this.#apicWritten(),
      // Done alone, an instruction begins its run.
      isLate: () => vm.time.isDeterministic && this.engine.cpu.word(layout.COMPLETING) === 0,
    });
    this.mpState = this.apic === null || isBoot ? MP_STATE.runnable : MP_STATE.uninitialized;
    this.#reset();
  }

  get engine(): Engine {
    return this.#vm.core().engine;
  }

  get words(): Int32Array<SharedArrayBuffer> {
    return this.#words;
  }

  get cpuid(): CpuidTable {
    return this.#cpuid;
  }

  setCpuid(entries: readonly CpuidEntry[]): void {
    this.#cpuid = new CpuidTable(entries);
    this.apic?.setFeatures(apicFeatures(this.#cpuid));
    this.use().cpu.set('pteReservedMask', reservedMask(this.#cpuid.physicalBits, this.#cBit()));
  }

  /** Brings this processor onto the core. */
  use(): Engine {
    const core = this.#vm.core();
    core.use(this);
    return core.engine;
  }

  /** Before anything runs: onto the core, with what has happened to it meanwhile. */
  enter(): void {
    this.hasRun = true;
    const { cpu } = this.use();
    this.#vm.core().settle();
    cpu.setWord(layout.MSR_EXITS_ALL, this.#vm.settings.msrFilter.isOpen ? 0 : 1);
    if (this.apic !== null) cpu.set('cr8', BigInt(this.apic.cr8));
  }

  /** Halted, or not started yet. */
  isWaiting(): boolean {
    return this.mpState !== MP_STATE.runnable;
  }

  isKicked(): boolean {
    return (Atomics.load(this.#words, this.eventWord) & KICKED) !== 0;
  }

  takeKick(): void {
    Atomics.and(this.#words, this.eventWord, ~KICKED);
  }

  // --- ApicCpu: told by local APICs, perhaps while another processor is on the core.

  nmi(): void {
    this.nmiPending = true;
  }

  init(): void {
    this.#initPending = true;
    this.#startPending = false;
  }

  startup(vector: number): void {
    this.sipiVector = vector;
    this.#startPending = true;
  }

  /** Does what INIT and a start-up IPI have asked for. The processor is on the core. */
  takeStartSignals(): void {
    const { cpu } = this.engine;
    if (this.#initPending) {
      this.#initPending = false;
      initRegisters(cpu);
      this.apic?.reset();
      this.queued = null;
      this.interrupt = -1;
      this.nmiPending = false;
      this.mpState = this.apic?.isBoot === true ? MP_STATE.runnable : MP_STATE.initReceived;
    }
    if (!this.#startPending) return;
    this.#startPending = false;
    if (this.mpState !== MP_STATE.initReceived) return;
    startAt(cpu, this.sipiVector);
    this.mpState = MP_STATE.runnable;
  }

  // --- What the engine asks, as the processor on the core.

  fill(guestFrame: number, access: number, encrypted: boolean): number {
    return this.memory.fill(guestFrame, access, encrypted);
  }

  mmio(gpa: number, size: number, isWrite: boolean, low: number, high: number, answer: Uint32Array): boolean {
    return this.devices.access(gpa, size, isWrite, low, high, answer);
  }

  tsc(): number {
    this.counter.read(this.#now);
    return this.#now.high * WORD + this.#now.low;
  }

  exception(): void {
    this.#told?.(this.#toldException.load(this.engine.cpu));
  }

  /** Tells of each exception that the guest takes, or of none. */
  trace(told: ((exception: GuestException) => void) | null): void {
    this.#told = told;
    this.use().cpu.setWord(layout.TELL_EXCEPTIONS, told === null ? 0 : 1);
  }

  // --- Exits that the processor itself is the subject of.

  /** CPUID: RIP is behind it. */
  answerCpuid(): void {
    const { cpu } = this.engine;
    const found = this.#cpuid.answer(cpu.low('rax'), cpu.low('rcx'));
    cpu.setHalves('rax', found.eax, 0);
    cpu.setHalves('rbx', found.ebx, 0);
    cpu.setHalves('rcx', found.ecx, 0);
    cpu.setHalves('rdx', found.edx, 0);
  }

  /** HLT: whether it waits in KVM; else it is user space's. */
  halt(): boolean {
    if (this.apic === null && (this.#vm.settings.disabledExits & DISABLE_EXITS_HLT) === 0) return false;
    this.mpState = MP_STATE.halted;
    return true;
  }

  /** CR8 was written: the task priority of the local APIC. */
  priorityWritten(): void {
    if (this.apic !== null) this.apic.cr8 = this.engine.cpu.low('cr8');
  }

  /** A 64-bit argument of an exit as a number. */
  argument(address: number): number {
    const { cpu } = this.engine;
    return cpu.word(address + 4) * WORD + cpu.word(address);
  }

  /** Copies bytes of the state block out. */
  copyOut(address: number, into: Uint8Array): void {
    into.set(new Uint8Array(this.engine.memory.buffer, address, into.length));
  }

  copyIn(address: number, from: Uint8Array): void {
    new Uint8Array(this.engine.memory.buffer, address, from.length).set(from);
  }

  /** For snapshots: all but what the guest's own address space, chips and host have. */
  state(): ProcessorState {
    const { cpu } = this.use();
    const { rflags } = cpu;
    // The same state has the same bytes, whichever instruction set the flags.
    cpu.rflags = rflags;
    return {
      registers: this.#vm.core().stateOf(this),
      flags: Number(rflags),
      counter: this.counter.state(),
      clock: this.clock.state(),
      apic: this.apic?.state() ?? null,
      mpState: this.mpState,
      queued: this.queued,
      interrupt: this.interrupt,
      nmiPending: this.nmiPending,
      sipiVector: this.sipiVector,
      initPending: this.#initPending,
      startPending: this.#startPending,
      hasRun: this.hasRun,
      cpuid: this.#cpuid.entries,
    };
  }

  /** Goes on as a saved one; nobody traces it yet. */
  resume(state: ProcessorState): void {
    this.setCpuid(state.cpuid);
    this.counter.resume(state.counter);
    this.clock.resume(state.clock);
    if (state.apic !== null) this.apic?.resume(state.apic);
    this.mpState = state.mpState;
    this.queued = state.queued;
    this.interrupt = state.interrupt;
    this.nmiPending = state.nmiPending;
    this.sipiVector = state.sipiVector;
    this.#initPending = state.initPending;
    this.#startPending = state.startPending;
    this.hasRun = state.hasRun;
    this.#vm.core().resume(this, state.registers);
    const { cpu } = this.engine;
    // Lazy flags name an operation by a number that another build may give to another one.
    cpu.rflags = BigInt(state.flags);
    cpu.setWord(layout.TELL_EXCEPTIONS, 0);
  }

  close(): void {
    this.#vm.core().leave(this);
    this.#vm.eventWords.release(this.eventWord);
  }

  #reset(): void {
    const { cpu } = this.use();
    resetRegisters(cpu, this.#cBit(), this.#vm.randomSeed());
    cpu.set('pteReservedMask', reservedMask(this.#cpuid.physicalBits, this.#cBit()));
  }

  #cBit(): bigint {
    return cBitMask(this.#vm.space.tech);
  }

  /** A task priority or an end of interrupt may let one through that the guest would only see at the slice's end. */
  #apicWritten(): boolean {
    const { apic } = this;
    if (apic === null) return false;
    const { cpu } = this.engine;
    cpu.set('cr8', BigInt(apic.cr8));
    if (!this.#vm.controllers.hasInterrupt(apic)) return false;
    if (cpu.interruptible) return true;
    // IRET, STI or POPF ends the run.
    cpu.setWord(layout.IRQ_WAITING, 1);
    return false;
  }
}
