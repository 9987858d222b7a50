import type { VcpuExit } from './exit.ts';
import type { U64 } from './u64.ts';
import type { CpuidEntry, MpState, MsrEntry, Regs, Sregs } from './vcpu-state.ts';

/**
 * Enough to open a vCPU again: on linux in any thread of the process, in software only in the thread that made it.
 * Structured-cloneable.
 */
export interface VcpuHandle {
  readonly fd: number;
  readonly id: number;
}

/** A way to get a vCPU out of `run`, from any thread of the process. */
export interface Kicker {
  /** Makes the current or the next `run` come back with `intr`. Never lost, may be repeated. */
  kick(): void;
}

/**
 * One virtual CPU. `run` blocks its thread, so a vCPU belongs to a Worker; everything here must be called from the
 * thread that runs it, except through a Kicker. All calls throw KvmError with the kernel's errno.
 */
export interface Vcpu {
  readonly handle: VcpuHandle;

  /** Runs the guest until it needs user space. The result is valid until the next run. */
  run(): VcpuExit;
  /** KVM_RUN with immediate_exit set: completes a pending exit (its reply is taken) without running the guest. */
  completeExit(): void;
  /** Structured-cloneable target for `Kicker`s made by the backend (`openKicker`). Binds to the calling thread. */
  kickTarget(): KickTarget;

  getRegs(): Regs;
  setRegs(regs: Regs): void;
  getSregs(): Sregs;
  setSregs(sregs: Sregs): void;
  /** Sets the leaves; the first call before the first run decides (KVM_SET_CPUID2). */
  setCpuid(entries: readonly CpuidEntry[]): void;
  getCpuid(): readonly CpuidEntry[];
  /** Returns how many were read or set before the first refusal, as KVM does. */
  getMsrs(indices: readonly number[]): readonly MsrEntry[];
  setMsrs(entries: readonly MsrEntry[]): number;
  getMpState(): MpState;
  setMpState(state: MpState): void;
  /** struct kvm_fpu, kvm_lapic_state, kvm_vcpu_events, kvm_debugregs, kvm_xsave and kvm_xcrs as bytes. */
  getFpu(): Uint8Array;
  setFpu(bytes: Uint8Array): void;
  getLapic(): Uint8Array;
  setLapic(bytes: Uint8Array): void;
  getEvents(): Uint8Array;
  setEvents(bytes: Uint8Array): void;
  getXcrs(): Uint8Array;
  setXcrs(bytes: Uint8Array): void;
  getTscKhz(): number;
  setTscKhz(khz: number): void;
  /** Translates a guest-virtual address (KVM_TRANSLATE). */
  translate(gva: U64): { readonly gpa: number; readonly valid: boolean };
  /** KVM_NMI, KVM_INTERRUPT. */
  nmi(): void;
  interrupt(vector: number): void;
  /** KVM_ENABLE_CAP on the vCPU. */
  enableCap(cap: number, args?: readonly U64[], flags?: number): void;
  /** KVM_PRE_FAULT_MEMORY; answers the bytes that are left. */
  preFaultMemory(gpa: U64, size: U64, flags?: U64): number;
  /**
   * Tells of each exception that the guest takes, within `run`, until called with null. Only a vCPU that delivers
   * exceptions itself has it: neither the processor nor the kernel's KVM say.
   */
  trace?(told: ((exception: GuestException) => void) | null): void;
  close(): void;
}

/** An exception as it is delivered. The object may be reused: it is valid until `told` comes back. Words are unsigned. */
export interface GuestException {
  readonly vector: number;
  /** Null for exceptions without one. */
  readonly errorCode: number | null;
  /** CR2 of a page fault; 0 of others. */
  readonly addressHigh: number;
  readonly addressLow: number;
  /** RIP of the instruction. */
  readonly ripHigh: number;
  readonly ripLow: number;
}

/** Structured-cloneable: what a Kicker needs. */
export type KickTarget = LinuxKickTarget | SoftwareKickTarget;

/** The kernel's vCPU is kicked by a signal to the thread that runs it. */
export interface LinuxKickTarget {
  readonly backend: 'linux';
  readonly tid: number;
  /** Address of kvm_run in this process, or 0. */
  readonly runAddress: number;
}

/** The software vCPU is kicked through a word that it looks at between blocks of instructions and waits on in HLT. */
export interface SoftwareKickTarget {
  readonly backend: 'software';
  /** Over a SharedArrayBuffer. */
  readonly words: Int32Array;
  /** Which of the words. */
  readonly index: number;
}
