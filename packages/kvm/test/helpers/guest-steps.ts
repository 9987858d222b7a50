import type { KickTarget, VcpuHandle } from '../../src/port/vcpu.ts';
import type { VmHandle } from '../../src/port/vm.ts';

/** What a guest's thread does, one step after the other. Each answers one outcome. */
export type Step =
  /** Runs until an exit, then replies: bytes for a read, or words for an MSR; `refuse` for an MSR that shall fault. */
  | { readonly do: 'run'; readonly data?: readonly number[]; readonly msr?: readonly [number, number] | 'refuse' }
  | { readonly do: 'complete' }
  /** Kicks the thread that is running this, `times` times. */
  | { readonly do: 'kick'; readonly times: number }
  /** Adds 1 to an event descriptor. */
  | { readonly do: 'signal'; readonly fd: number }
  /** Bits 31:0 of RAX and RDX. */
  | { readonly do: 'regs' };

/** An exit as it can be posted: the live views copied. */
export interface Outcome {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface GuestJob {
  readonly vm: VmHandle;
  readonly vcpu: VcpuHandle;
  readonly rip: number;
  readonly steps: readonly Step[];
}

export type GuestMessage = { readonly target: KickTarget } | { readonly outcomes: readonly Outcome[] };
