import type { CpuidEntry } from '../../port/vcpu-state.ts';
import type { VcpuClockState } from '../clock/kvm-clock.ts';
import type { TscState } from '../clock/tsc.ts';
import type { LocalApicState } from '../irq/index.ts';
import type { QueuedException } from './events.ts';
import type { KeptMsr } from './msr/msr-bank.ts';

/** One virtual processor, for a snapshot: plain data. */
export interface ProcessorState {
  /** STATE_BYTES of @unpin/x86, by its layout.ts. */
  readonly registers: Uint8Array;
  /** RFLAGS, which the block has in the interpreter's own way. */
  readonly flags: number;
  readonly counter: TscState;
  readonly clock: VcpuClockState;
  /** Null where the VM has no irqchip. */
  readonly apic: LocalApicState | null;
  readonly mpState: number;
  readonly queued: QueuedException | null;
  readonly interrupt: number;
  readonly nmiPending: boolean;
  readonly sipiVector: number;
  readonly initPending: boolean;
  readonly startPending: boolean;
  readonly hasRun: boolean;
  readonly cpuid: readonly CpuidEntry[];
}

/** A vCPU between two exits. */
export interface VcpuState {
  readonly id: number;
  readonly fd: number;
  readonly processor: ProcessorState;
  readonly msrs: readonly KeptMsr[];
  /** IA32_APIC_BASE where user space has the local APIC. */
  readonly apicBase: { readonly high: number; readonly low: number };
}
