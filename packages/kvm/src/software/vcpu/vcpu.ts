import { layout } from '@unpin/x86';
import type { VcpuExit } from '../../port/exit.ts';
import type { U64 } from '../../port/u64.ts';
import type { GuestException, KickTarget, Vcpu, VcpuHandle } from '../../port/vcpu.ts';
import type { CpuidEntry, MpState, MsrEntry, Regs, Sregs } from '../../port/vcpu-state.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import { APIC_BASE, APIC_BASE_MSR, APIC_DEFAULT_BASE, acceptsApicBase, type LocalApic } from '../irq/index.ts';
import { SnapshotError } from '../memory/index.ts';
import type { VmParts } from '../vm-parts.ts';
import { codeBytes } from './code-bytes.ts';
import { apicFeatures } from './cpuid-table.ts';
import { decodeEvents, encodeEvents, type VcpuEvents } from './events.ts';
import { restoreFpu, saveFpu } from './fpu-state.ts';
import { type InstructionLook, lookAtInstruction } from './instruction-look.ts';
import { isMpState, MP_STATE } from './mp-state.ts';
import { ApicMsrs } from './msr/apic-msrs.ts';
import { CoreMsrs } from './msr/core-msrs.ts';
import { MemoryTypeMsrs } from './msr/memory-type-msrs.ts';
import { Msrs } from './msr/msrs.ts';
import { ParavirtMsrs } from './msr/paravirt-msrs.ts';
import { PlatformMsrs } from './msr/platform-msrs.ts';
import { SevMsrs } from './msr/sev-msrs.ts';
import { TimeMsrs } from './msr/time-msrs.ts';
import { preFault } from './pre-fault.ts';
import type { Processor } from './processor.ts';
import type { VcpuState } from './processor-state.ts';
import { registerImage } from './register-image.ts';
import { getRegs, getSregs, setRegs, setSregs, vectorOf } from './registers.ts';
import { VcpuRunner } from './runner.ts';
import { sregsProblem } from './sregs-rules.ts';
import { checkXcrs, encodeXcrs } from './xcrs.ts';

/** A vCPU of the software KVM. Everything here belongs to the thread of its Kvm object. */
export class SoftwareVcpu implements Vcpu {
  readonly handle: VcpuHandle;
  readonly #vm: VmParts;
  readonly #processor: Processor;
  readonly #runner: VcpuRunner;
  readonly #msrs: Msrs;
  /** IA32_APIC_BASE where user space has the local APIC. */
  readonly #apicBase = { high: 0, low: 0 };
  readonly #closed: () => void;
  #isOpen = true;

  constructor(handle: VcpuHandle, vm: VmParts, processor: Processor, closed: () => void) {
    this.handle = handle;
    this.#vm = vm;
    this.#processor = processor;
    this.#closed = closed;
    const isBoot = handle.id === vm.settings.bootCpuId;
    this.#apicBase.low = (APIC_DEFAULT_BASE | APIC_BASE.enable | (isBoot ? APIC_BASE.boot : 0)) >>> 0;
    this.#msrs = this.#makeMsrs();
    this.#runner = new VcpuRunner(vm, processor, this.#msrs);
  }

  run(): VcpuExit {
    return this.#runner.run();
  }

  completeExit(): void {
    this.#runner.complete();
  }

  kickTarget(): KickTarget {
    return { backend: 'software', words: this.#processor.words, index: this.#processor.eventWord };
  }

  getRegs(): Regs {
    return getRegs(this.#processor.use().cpu);
  }

  setRegs(regs: Regs): void {
    setRegs(this.#processor.use().cpu, regs);
    // What user space sets aside with them: an exception that was on its way.
    this.#processor.queued = null;
  }

  getSregs(): Sregs {
    const { apic, interrupt } = this.#processor;
    const { cpu } = this.#processor.use();
    const base = apic === null ? this.#apicBase : { high: apic.baseHigh, low: apic.baseLow };
    return getSregs(cpu, {
      apicBase: (BigInt(base.high) << 32n) | BigInt(base.low),
      cr8: apic === null ? cpu.get('cr8') : BigInt(apic.cr8),
      interrupt,
    });
  }

  setSregs(sregs: Sregs): void {
    const engine = this.#processor.use();
    const { cpu } = engine;
    const { cpuid, apic } = this.#processor;
    const problem = sregsProblem(sregs, cpuid.physicalBits, cpu.get('cBitMask'));
    if (problem !== undefined) throw failure('KVM_SET_SREGS', ERRNO.EINVAL, problem);
    const base = BigInt.asUintN(64, sregs.apicBase);
    const [high, low] = [Number(base >> 32n), Number(base & 0xffff_ffffn)];
    if (this.#msrs.write(APIC_BASE_MSR, high, low, 'host') !== 'done')
      throw failure('KVM_SET_SREGS', ERRNO.EINVAL, 'the APIC base');
    setSregs(cpu, sregs);
    if (apic !== null) apic.cr8 = Number(sregs.cr8 & 0xfn);
    const vector = vectorOf(sregs.interruptBitmap);
    if (vector >= 0) this.#processor.interrupt = vector;
  }

  setCpuid(entries: readonly CpuidEntry[]): void {
    if (this.#processor.hasRun && !this.#processor.cpuid.equals(entries))
      throw failure('KVM_SET_CPUID2', ERRNO.EINVAL, 'the vCPU has run');
    this.#processor.setCpuid(entries);
  }

  getCpuid(): readonly CpuidEntry[] {
    return this.#processor.cpuid.entries;
  }

  getMsrs(indices: readonly number[]): readonly MsrEntry[] {
    this.#processor.use();
    return this.#msrs.getAll(indices);
  }

  setMsrs(entries: readonly MsrEntry[]): number {
    this.#processor.use();
    return this.#msrs.setAll(entries);
  }

  getMpState(): MpState {
    this.#processor.use();
    this.#processor.takeStartSignals();
    return this.#processor.mpState;
  }

  setMpState(state: MpState): void {
    const call = 'KVM_SET_MP_STATE';
    if (!isMpState(state)) throw failure(call, ERRNO.EINVAL);
    if (this.#processor.apic === null && state !== MP_STATE.runnable)
      throw failure(call, ERRNO.EINVAL, 'without an irqchip a vCPU is runnable');
    if (state === MP_STATE.sipiReceived) {
      this.#processor.mpState = MP_STATE.initReceived;
      this.#processor.startup(this.#processor.sipiVector);
    } else this.#processor.mpState = state;
  }

  getFpu(): Uint8Array {
    return saveFpu(this.#processor.use().memory.buffer);
  }

  setFpu(bytes: Uint8Array): void {
    restoreFpu(this.#processor.use().memory.buffer, bytes);
  }

  getLapic(): Uint8Array {
    return this.#apic('KVM_GET_LAPIC').save(this.#vm.controllers.wideIds);
  }

  setLapic(bytes: Uint8Array): void {
    if (!this.#apic('KVM_SET_LAPIC').restore(bytes, this.#vm.controllers.wideIds))
      throw failure('KVM_SET_LAPIC', ERRNO.EINVAL, 'another local APIC’s id');
  }

  getEvents(): Uint8Array {
    return encodeEvents(this.#events());
  }

  setEvents(bytes: Uint8Array): void {
    const events = decodeEvents(bytes, this.#events());
    const { cpu } = this.#processor.use();
    this.#processor.queued = events.exception;
    this.#processor.interrupt = events.interrupt;
    this.#processor.nmiPending = events.nmiPending;
    this.#processor.sipiVector = events.sipiVector;
    cpu.setWord(layout.IRQ_SHADOW, events.hasShadow ? 1 : 0);
    cpu.setWord(layout.NMI_BLOCKED, events.nmiMasked ? 1 : 0);
  }

  getXcrs(): Uint8Array {
    return encodeXcrs();
  }

  setXcrs(bytes: Uint8Array): void {
    checkXcrs(bytes);
  }

  getTscKhz(): number {
    return this.#processor.counter.khz;
  }

  /** 0 asks for the processor's own. KvmError EINVAL beyond 2^31. */
  setTscKhz(khz: number): void {
    if (khz < 0 || khz >= 2 ** 31) throw failure('KVM_SET_TSC_KHZ', ERRNO.EINVAL);
    this.#processor.counter.setKhz(khz === 0 ? this.#vm.tscKhz : khz);
    this.#counterChanged();
  }

  translate(gva: U64): { readonly gpa: number; readonly valid: boolean } {
    const found = this.#processor.use().translate(BigInt.asUintN(64, BigInt(gva)));
    return found === undefined ? { gpa: 0, valid: false } : { gpa: found.gpa, valid: true };
  }

  nmi(): void {
    this.#processor.nmi();
  }

  interrupt(vector: number): void {
    const call = 'KVM_INTERRUPT';
    if (vector < 0 || vector > 255) throw failure(call, ERRNO.EINVAL);
    if (this.#processor.apic !== null) throw failure(call, ERRNO.ENXIO, 'there is an irqchip');
    this.#processor.interrupt = vector;
  }

  enableCap(cap: number): void {
    throw failure('KVM_ENABLE_CAP', ERRNO.EINVAL, `capability ${cap} of a vCPU`);
  }

  preFaultMemory(gpa: U64, size: U64, flags: U64 = 0): number {
    return preFault(this.#vm.space, gpa, size, flags);
  }

  /** For snapshots. SnapshotError where an exit waits for its answer: `completeExit` takes it. */
  state(): VcpuState {
    const { id, fd } = this.handle;
    if (!this.#runner.isBetweenExits) throw new SnapshotError(`an exit of vCPU ${id} waits for its answer`);
    return { id, fd, processor: this.#processor.state(), msrs: this.#msrs.kept(), apicBase: { ...this.#apicBase } };
  }

  /** Goes on as a saved vCPU. */
  resume({ processor, msrs, apicBase }: VcpuState): void {
    this.#processor.resume(processor);
    this.#msrs.keep(msrs);
    Object.assign(this.#apicBase, apicBase);
  }

  /** Copies the registers as REGISTER_ROWS lays them out; `into` has REGISTER_IMAGE_BYTES. Not in the port. */
  registerImage(into: Uint8Array): void {
    registerImage(this.#processor.use(), into);
  }

  /** The instruction at RIP. Not in the port. */
  look(): InstructionLook {
    const engine = this.#processor.use();
    const { space, host } = this.#vm;
    return lookAtInstruction(engine, codeBytes(engine, space, host.memory));
  }

  /** Instructions retired and events delivered since the vCPU was made. Not in the port. */
  get retired(): number {
    this.#processor.use();
    return this.#runner.slices.retired;
  }

  /**
   * Has `run` come back with `intr` once so many have retired in all, one trace later at most; Infinity for no end. With
   * a deterministic clock it is exact, and two guests that do the same stop at the same instruction. A vCPU that halts
   * and that no timer wakes within an hour comes back, too. Not in the port.
   */
  stopAt(retired: number): void {
    this.#runner.slices.stopAt(retired);
    this.#processor.leavesForGood = retired !== Number.POSITIVE_INFINITY;
  }

  trace(told: ((exception: GuestException) => void) | null): void {
    this.#processor.trace(told);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closed();
  }

  /** kvm-clock was set: its page says so. */
  clockChanged(): void {
    this.#processor.clock.refresh();
  }

  #makeMsrs(): Msrs {
    const { space, guest, clock: vmClock } = this.#vm;
    const processor = this.#processor;
    const apic = () => processor.apic;
    return new Msrs([
      new CoreMsrs(processor.engine),
      new TimeMsrs({ tsc: processor.counter, changed: () => this.#counterChanged() }),
      new ApicMsrs(apic, this.#apicBase, (high, low) =>
        acceptsApicBase('xapic', high, low, apicFeatures(processor.cpuid), true),
      ),
      new ParavirtMsrs({ clock: processor.clock, vmClock, guest }),
      new MemoryTypeMsrs(() => processor.cpuid.physicalBits),
      new PlatformMsrs(),
      new SevMsrs(() => space.tech === 'sev'),
    ]);
  }

  #counterChanged(): void {
    this.#processor.apic?.tscChanged();
    this.#processor.clock.refresh();
  }

  #events(): VcpuEvents {
    const { queued: exception, interrupt, nmiPending, sipiVector } = this.#processor;
    const { cpu } = this.#processor.use();
    return {
      exception,
      interrupt,
      nmiPending,
      sipiVector,
      hasShadow: cpu.word(layout.IRQ_SHADOW) !== 0,
      nmiMasked: cpu.word(layout.NMI_BLOCKED) !== 0,
    };
  }

  #apic(call: string): LocalApic {
    const { apic } = this.#processor;
    if (apic === null) throw failure(call, ERRNO.EINVAL, 'no local APIC in KVM');
    return apic;
  }
}
