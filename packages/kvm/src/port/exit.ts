/**
 * Why KVM_RUN came back (Documentation/virt/kvm/api.rst, "The kvm_run structure"). A closed union: a reason that this
 * version does not know arrives as `unsupported`, never as a crash.
 *
 * The objects are reused: one is valid until the next run of the same vCPU. Addresses are exact numbers.
 */
export type VcpuExit =
  | IoExit
  | MmioExit
  | HypercallExit
  | MemoryFaultExit
  | RdmsrExit
  | WrmsrExit
  | { readonly kind: 'hlt' }
  | { readonly kind: 'shutdown' }
  | FailEntryExit
  | SystemEventExit
  | InternalErrorExit
  | { readonly kind: 'intr' }
  | { readonly kind: 'irq-window-open' }
  | { readonly kind: 'unsupported'; readonly reason: number };

export type ExitKind = VcpuExit['kind'];

/** Port I/O: `count` items of `size` bytes in `data`; for `in` the VMM fills `data` before the next run. */
export interface IoExit {
  readonly kind: 'io';
  readonly direction: 'in' | 'out';
  readonly port: number;
  readonly size: 1 | 2 | 4;
  readonly count: number;
  /** A live view of the kvm_run page, size × count bytes. */
  readonly data: Uint8Array;
}

/** An access to a GPA without a memslot; for a read the VMM fills `data` before the next run. */
export interface MmioExit {
  readonly kind: 'mmio';
  readonly gpa: number;
  readonly size: number;
  readonly isWrite: boolean;
  /** A live view of the kvm_run page, `size` bytes. */
  readonly data: Uint8Array;
}

/** A hypercall that KVM hands to user space (KVM_CAP_EXIT_HYPERCALL). The VMM must set the return value. */
export interface HypercallExit {
  readonly kind: 'hypercall';
  readonly nr: number;
  /** Argument 0–5 as a number: exact below 2^53, and larger than any valid argument above. */
  arg(index: number): number;
  /** The guest's RAX after the next run: a value ≥ 0, or a negative errno of KVM's paravirtual ABI. */
  setReturn(value: number): void;
  readonly longMode: boolean;
}

/** KVM_RUN answered EFAULT or EHWPOISON and said where (KVM_EXIT_MEMORY_FAULT). */
export interface MemoryFaultExit {
  readonly kind: 'memory-fault';
  readonly errno: number;
  readonly isPrivate: boolean;
  readonly gpa: number;
  readonly size: number;
}

/** A read of an MSR that KVM leaves to user space. Answer with `complete` or `refuse` (the guest gets #GP). */
export interface RdmsrExit {
  readonly kind: 'rdmsr';
  readonly index: number;
  /** KVM_MSR_EXIT_REASON_*: 1 inval, 2 unknown, 4 filter. */
  readonly why: number;
  complete(high: number, low: number): void;
  refuse(): void;
}

export interface WrmsrExit {
  readonly kind: 'wrmsr';
  readonly index: number;
  readonly why: number;
  /** Bits 63:32 and 31:0, unsigned. */
  readonly high: number;
  readonly low: number;
  complete(): void;
  refuse(): void;
}

export interface FailEntryExit {
  readonly kind: 'fail-entry';
  /** The hardware's reason, hexadecimal. */
  readonly hardwareReason: string;
}

export interface SystemEventExit {
  readonly kind: 'system-event';
  /** KVM_SYSTEM_EVENT_*: 1 shutdown, 2 reset, 3 crash, 6 SEV termination. */
  readonly type: number;
}

export interface InternalErrorExit {
  readonly kind: 'internal-error';
  /** KVM_INTERNAL_ERROR_*: 1 emulation failed, 3 delivery, 4 unexpected exit. */
  readonly suberror: number;
  readonly data: readonly string[];
}
