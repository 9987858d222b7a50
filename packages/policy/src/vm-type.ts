import type { StatementId } from './verdict.ts';

/** Confidentiality technique of a VM type. */
export type Tech = 'none' | 'sev' | 'sev-es' | 'sev-snp' | 'sw-protected';

/**
 * Where guest memory lives.
 * - `memslots`: all of it is host user memory.
 * - `guest_memfd`: private memory in a guest_memfd, shared memory in the memslot's user memory.
 * - `guest_memfd-in-place`: one guest_memfd page serves both views (kernels after 7.2 go this way).
 */
export type MemoryModel = 'memslots' | 'guest_memfd' | 'guest_memfd-in-place';

/** When guest memory is pinned: never, all before the first instruction, or page by page as it is touched. */
export type Pinning = 'none' | 'upfront' | 'on-fault';

/**
 * How a VM type is run: by the processor (for the SEV types: by SEV hardware), by a stock KVM with the C bit as an
 * alias and no encryption, or by the software KVM. Only `hardware` can be confidential.
 */
export type Execution = 'hardware' | 'shaped' | 'emulated';

/** What a machine must have for a type to run there. The VMM finds these out; nobody guesses them from a version. */
export type HostFeature =
  | 'kvm'
  | 'software-kvm'
  | 'guest-memfd-default-vm'
  | 'guest-memfd'
  | 'memory-attributes'
  | 'sev'
  | 'sev-es'
  | 'sev-snp'
  | 'sw-protected-vm'
  | 'spare-address-bit'
  | 'long-term-pin'
  | 'userfaultfd';

/** One way to run a type. `built: false` is said by doctor and by every refusal until it is. */
export interface Runner {
  readonly execution: Execution;
  readonly backend: 'linux' | 'software';
  readonly requires: readonly HostFeature[];
  readonly built: boolean;
}

/** What a type asks of the boot set, with the least level that satisfies it and what would mend a failure. */
export interface Need {
  readonly statement: StatementId;
  readonly atLeast: 'proven' | 'inferred';
  readonly why: string;
  readonly remedy: string;
}

export type VmTypeId =
  | 'standard'
  | 'standard-pinned'
  | 'standard-gmem'
  | 'sev'
  | 'sev-es'
  | 'sev-deferred'
  | 'sev-upm'
  | 'sev-es-upm'
  | 'sev-snp'
  | 'sw-protected';

/** A VM type: one row of the registry. Everything else asks the type. */
export interface VmType {
  readonly id: VmTypeId;
  readonly tech: Tech;
  readonly memoryModel: MemoryModel;
  readonly pinning: Pinning;
  /** Whether the guest converts pages, and how KVM hears of it. */
  readonly conversions: 'none' | 'unreported' | 'hypercall' | 'page-state-change';
  readonly needs: readonly Need[];
  readonly runners: readonly Runner[];
  /** What a person reads before choosing this type. */
  readonly disclaimer: string;
}
