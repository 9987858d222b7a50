import type { VcpuExit } from '../port/exit.ts';
import type { U64 } from '../port/u64.ts';
import type { KickTarget, Vcpu, VcpuHandle } from '../port/vcpu.ts';
import type { CpuidEntry, MpState, MsrEntry, Regs, Sregs } from '../port/vcpu-state.ts';
import { closeFile } from '../sys/file.ts';
import { ioctl, ioctlStruct } from '../sys/ioctl.ts';
import { VCPU_IOCTLS, VM_IOCTLS } from '../uapi/ioctls.ts';
import * as layout from '../uapi/vcpu-structs.ts';
import { encodeEnableCap } from './enable-cap.ts';
import { decodeCpuid, decodeMsrs, emptyCpuid, encodeCpuid, encodeMsrs } from './list-codec.ts';
import { decodeRegs, decodeSregs, encodeRegs, encodeSregs } from './regs-codec.ts';
import { RunPage } from './run-page.ts';
import { VcpuRunner } from './vcpu-run.ts';

type CallName = keyof typeof VCPU_IOCTLS;

/** A vCPU of the kernel's KVM. One that was opened from a handle leaves the file descriptor to its creator. */
export class LinuxVcpu implements Vcpu {
  readonly handle: VcpuHandle;
  readonly #fd: number;
  readonly #ownsFd: boolean;
  readonly #page: RunPage;
  readonly #runner: VcpuRunner;

  constructor(handle: VcpuHandle, runBytes: number, ownsFd: boolean) {
    this.handle = handle;
    this.#fd = handle.fd;
    this.#ownsFd = ownsFd;
    this.#page = new RunPage(handle.fd, runBytes);
    this.#runner = new VcpuRunner(handle.fd, this.#page);
  }

  run(): VcpuExit {
    return this.#runner.run();
  }

  completeExit(): void {
    this.#runner.complete();
  }

  kickTarget(): KickTarget {
    return this.#runner.kickTarget();
  }

  getRegs(): Regs {
    const regs = layout.REGS.make();
    this.#call('KVM_GET_REGS', regs.bytes);
    return decodeRegs(regs);
  }

  setRegs(regs: Regs): void {
    const struct = layout.REGS.make();
    encodeRegs(regs, struct);
    this.#call('KVM_SET_REGS', struct.bytes);
  }

  getSregs(): Sregs {
    const sregs = layout.SREGS.make();
    this.#call('KVM_GET_SREGS', sregs.bytes);
    return decodeSregs(sregs);
  }

  setSregs(sregs: Sregs): void {
    const struct = layout.SREGS.make();
    encodeSregs(sregs, struct);
    this.#call('KVM_SET_SREGS', struct.bytes);
  }

  setCpuid(entries: readonly CpuidEntry[]): void {
    this.#call('KVM_SET_CPUID2', encodeCpuid(entries).bytes);
  }

  getCpuid(): readonly CpuidEntry[] {
    const cpuid = emptyCpuid();
    this.#call('KVM_GET_CPUID2', cpuid.bytes);
    return decodeCpuid(cpuid);
  }

  getMsrs(indices: readonly number[]): readonly MsrEntry[] {
    const msrs = encodeMsrs(indices.map((index) => ({ index })));
    return decodeMsrs(msrs, this.#call('KVM_GET_MSRS', msrs.bytes));
  }

  setMsrs(entries: readonly MsrEntry[]): number {
    return this.#call('KVM_SET_MSRS', encodeMsrs(entries).bytes);
  }

  getMpState(): MpState {
    const state = layout.MP_STATE.make();
    this.#call('KVM_GET_MP_STATE', state.bytes);
    return state.get('mp_state');
  }

  setMpState(state: MpState): void {
    this.#call('KVM_SET_MP_STATE', layout.MP_STATE.make().set('mp_state', state).bytes);
  }

  getFpu(): Uint8Array {
    return this.#read('KVM_GET_FPU', layout.FPU.size);
  }

  setFpu(bytes: Uint8Array): void {
    this.#write('KVM_SET_FPU', layout.FPU.size, bytes);
  }

  getLapic(): Uint8Array {
    return this.#read('KVM_GET_LAPIC', layout.LAPIC_STATE.size);
  }

  setLapic(bytes: Uint8Array): void {
    this.#write('KVM_SET_LAPIC', layout.LAPIC_STATE.size, bytes);
  }

  getEvents(): Uint8Array {
    return this.#read('KVM_GET_VCPU_EVENTS', layout.VCPU_EVENTS.size);
  }

  setEvents(bytes: Uint8Array): void {
    this.#write('KVM_SET_VCPU_EVENTS', layout.VCPU_EVENTS.size, bytes);
  }

  getXcrs(): Uint8Array {
    return this.#read('KVM_GET_XCRS', layout.XCRS.size);
  }

  setXcrs(bytes: Uint8Array): void {
    this.#write('KVM_SET_XCRS', layout.XCRS.size, bytes);
  }

  getTscKhz(): number {
    return ioctl('KVM_GET_TSC_KHZ', this.#fd, VCPU_IOCTLS.KVM_GET_TSC_KHZ);
  }

  setTscKhz(khz: number): void {
    ioctl('KVM_SET_TSC_KHZ', this.#fd, VCPU_IOCTLS.KVM_SET_TSC_KHZ, khz);
  }

  translate(gva: U64): { readonly gpa: number; readonly valid: boolean } {
    const translation = layout.TRANSLATION.make().set('linear_address', gva);
    this.#call('KVM_TRANSLATE', translation.bytes);
    return { gpa: translation.get('physical_address'), valid: translation.get('valid') !== 0 };
  }

  nmi(): void {
    ioctl('KVM_NMI', this.#fd, VCPU_IOCTLS.KVM_NMI);
  }

  interrupt(vector: number): void {
    this.#call('KVM_INTERRUPT', layout.INTERRUPT.make().set('irq', vector).bytes);
  }

  enableCap(cap: number, args: readonly U64[] = [], flags = 0): void {
    ioctlStruct('KVM_ENABLE_CAP', this.#fd, VM_IOCTLS.KVM_ENABLE_CAP, encodeEnableCap(cap, args, flags));
  }

  preFaultMemory(gpa: U64, size: U64, flags: U64 = 0): number {
    const range = layout.PRE_FAULT_MEMORY.make().set('gpa', gpa).set('size', size).set('flags', flags);
    this.#call('KVM_PRE_FAULT_MEMORY', range.bytes);
    return range.get('size');
  }

  close(): void {
    this.#page.close();
    if (this.#ownsFd) closeFile(this.#fd);
  }

  #call(name: CallName, bytes: Uint8Array): number {
    return ioctlStruct(name, this.#fd, VCPU_IOCTLS[name], bytes);
  }

  #read(name: CallName, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.#call(name, bytes);
    return bytes;
  }

  /** Safety: the kernel reads `size` bytes, so no fewer may come. */
  #write(name: CallName, size: number, bytes: Uint8Array): void {
    if (bytes.length !== size) throw new RangeError(`${name} takes ${size} bytes, not ${bytes.length}`);
    this.#call(name, bytes);
  }
}
