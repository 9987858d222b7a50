import { MsrFilter } from './msr-filter.ts';

/** What user space has set up for one VM (KVM_ENABLE_CAP, KVM_X86_SET_MSR_FILTER, …). vCPUs look at it as they run. */
export class VmSettings {
  /** KVM_MSR_EXIT_REASON_*: which refused MSR accesses go to user space. */
  msrExits = 0;
  msrFilter = new MsrFilter(0, []);
  /** Mask of hypercalls that go to user space. */
  hypercallExits = 0;
  /** KVM_X86_DISABLE_EXITS_*. */
  disabledExits = 0;
  disabledQuirks = 0;
  /** vCPU ids are below; 0 for KVM's own limit. */
  maxVcpuIds = 0;
  bootCpuId = 0;
  /** vCPUs that were ever made. */
  createdVcpus = 0;
}

/** KVM_X86_DISABLE_EXITS_HLT. */
export const DISABLE_EXITS_HLT = 2;
