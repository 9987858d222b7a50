import type { U64Words } from '../../irq/index.ts';

/** `refused`: the MSR is there and can't be read or hold that value. `unknown`: nobody has it. */
export type MsrAnswer = 'done' | 'refused' | 'unknown';

/** Who asks: the guest, or user space (KVM_GET_MSRS, KVM_SET_MSRS), which may do more. */
export type MsrAsker = 'guest' | 'host';

/** Some MSRs of one vCPU. Values are two unsigned halves: no bigint where a guest runs. */
export interface MsrBank {
  read(index: number, into: U64Words, asker: MsrAsker): MsrAnswer;
  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer;
}

/** Fills `into`. */
export function give(into: U64Words, high: number, low: number): MsrAnswer {
  into.high = high >>> 0;
  into.low = low >>> 0;
  return 'done';
}
