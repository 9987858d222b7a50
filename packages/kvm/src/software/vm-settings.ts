import type { MsrFilterRange } from '../port/vm.ts';
import { MsrFilter } from './msr-filter.ts';

/** The settings of one VM, for a snapshot. */
export interface VmSettingsState {
  readonly msrExits: number;
  readonly msrFilter: { readonly flags: number; readonly ranges: readonly MsrFilterRange[] };
  readonly hypercallExits: number;
  readonly disabledExits: number;
  readonly disabledQuirks: number;
  readonly maxVcpuIds: number;
  readonly bootCpuId: number;
}

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

  state(): VmSettingsState {
    const { msrExits, msrFilter, hypercallExits, disabledExits, disabledQuirks, maxVcpuIds, bootCpuId } = this;
    const { flags, ranges } = msrFilter;
    const filter = { flags, ranges };
    return { msrExits, msrFilter: filter, hypercallExits, disabledExits, disabledQuirks, maxVcpuIds, bootCpuId };
  }

  /** vCPUs count as they are made again. */
  resume({ msrFilter: { flags, ranges }, ...rest }: VmSettingsState): void {
    Object.assign(this, rest);
    this.msrFilter = new MsrFilter(flags, ranges);
  }
}

/** KVM_X86_DISABLE_EXITS_HLT. */
export const DISABLE_EXITS_HLT = 2;
