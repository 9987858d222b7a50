import type { U64Words } from '../../irq/index.ts';

/** `refused`: the MSR is there and can't be read or hold that value. `unknown`: nobody has it. */
export type MsrAnswer = 'done' | 'refused' | 'unknown';

/** Who asks: the guest, or user space (KVM_GET_MSRS, KVM_SET_MSRS), which may do more. */
export type MsrAsker = 'guest' | 'host';

/** An MSR whose value a bank keeps, for a snapshot. */
export type KeptMsr = readonly [index: number, high: number, low: number];

/** Some MSRs of one vCPU. Values are two unsigned halves: no bigint where a guest runs. */
export interface MsrBank {
  read(index: number, into: U64Words, asker: MsrAsker): MsrAnswer;
  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer;
  /** The values that live in this bank and nowhere else, and their return: without the rules and effects of a write. */
  kept?(): readonly KeptMsr[];
  keep?(values: readonly KeptMsr[]): void;
}

/** Fills `into`. */
export function give(into: U64Words, high: number, low: number): MsrAnswer {
  into.high = high >>> 0;
  into.low = low >>> 0;
  return 'done';
}
