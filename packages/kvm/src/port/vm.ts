import type { GuestMemfd } from './guest-memfd.ts';
import type { U64 } from './u64.ts';
import type { Vcpu, VcpuHandle } from './vcpu.ts';
import type { ViewFinding } from './view-finding.ts';

/**
 * Enough to open a VM again: on linux in any thread of the process, in software only in the thread that made it (the
 * descriptor is a number of that Kvm object; elsewhere it is EBADF). Structured-cloneable.
 */
export interface VmHandle {
  readonly fd: number;
  readonly type: number;
}

/** KVM_SET_USER_MEMORY_REGION. Sizes and addresses in bytes; size 0 deletes the slot. */
export interface MemoryRegion {
  readonly slot: number;
  readonly flags: number;
  readonly gpa: U64;
  readonly size: U64;
  readonly hva: U64;
}

/** KVM_SET_USER_MEMORY_REGION2: the same with a guest_memfd behind the private side. */
export interface MemoryRegion2 extends MemoryRegion {
  readonly guestMemfd: number;
  readonly guestMemfdOffset: U64;
}

/** KVM_X86_SET_MSR_FILTER: a bitmap over `count` MSRs from `base`; a clear bit denies. */
export interface MsrFilterRange {
  /** KVM_MSR_FILTER_READ 1, KVM_MSR_FILTER_WRITE 2. */
  readonly flags: number;
  readonly base: number;
  readonly count: number;
  readonly bitmap: Uint8Array;
}

/** One KVM_MEMORY_ENCRYPT_OP (struct kvm_sev_cmd). */
export interface SevCommand {
  readonly name: string;
  /** KVM_SEV_* id. */
  readonly id: number;
  /** The command's own struct, read and written in place; null where it has none. */
  readonly data: Uint8Array | null;
  /** An open /dev/sev, or -1 for commands that need none. */
  readonly sevFd: number;
}

/** One virtual machine. Calls go to the kernel unchecked: its own rules answer, as KvmError with errno. */
export interface Vm {
  readonly handle: VmHandle;

  checkExtension(cap: number): number;
  enableCap(cap: number, args?: readonly U64[], flags?: number): void;

  setUserMemoryRegion(region: MemoryRegion): void;
  setUserMemoryRegion2(region: MemoryRegion2): void;
  createGuestMemfd(size: U64, flags?: U64): GuestMemfd;
  setMemoryAttributes(gpa: U64, size: U64, attributes: U64, flags?: U64): void;

  /** Throws SevError where KVM or the firmware refuses. */
  memoryEncryptOp(command: SevCommand): void;
  /** KVM_MEMORY_ENCRYPT_OP with a null argument: whether SEV is there at all. */
  probeMemoryEncrypt(): void;
  /** KVM_MEMORY_ENCRYPT_REG_REGION: pins a range of host user memory for an SEV VM. */
  registerEncryptedRegion(hva: U64, size: U64): void;
  unregisterEncryptedRegion(hva: U64, size: U64): void;

  createIrqchip(): void;
  createPit2(flags?: number): void;
  setTssAddress(gpa: number): void;
  setIdentityMapAddress(gpa: number): void;
  /** KVM_IRQ_LINE. */
  irqLine(gsi: number, level: 0 | 1): void;
  /** KVM_IRQFD: flags 1 deassign, 2 resample. */
  irqfd(eventFd: number, gsi: number, flags?: number, resampleFd?: number): void;
  /** KVM_IOEVENTFD: flags 1 datamatch, 2 pio, 4 deassign. */
  ioeventfd(eventFd: number, address: U64, length: number, flags?: number, datamatch?: U64): void;
  /** KVM_SIGNAL_MSI. */
  signalMsi(address: U64, data: number): number;
  setMsrFilter(flags: number, ranges: readonly MsrFilterRange[]): void;
  getClock(): bigint;
  setClock(nanoseconds: bigint): void;
  /** KVM_GET_DIRTY_LOG; one bit a page. */
  getDirtyLog(slot: number, pages: number): Uint8Array;
  setBootCpuId(id: number): void;

  /**
   * From now on a run ends with `intr`, before the access, for each finding about the guest's two views. Only a KVM that
   * sees every view has both calls: neither the processor nor the kernel's KVM do.
   */
  watchViews?(): void;
  /** What was found since the last time it was asked, in order; RIP is at the instruction of the last. */
  takeViewFindings?(): readonly ViewFinding[];

  createVcpu(id: number): Vcpu;
  openVcpu(handle: VcpuHandle): Vcpu;
  close(): void;
}
