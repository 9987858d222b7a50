import type { MsrEntry } from '../../../port/vcpu-state.ts';
import type { U64Words } from '../../irq/index.ts';
import { APIC_MSRS } from './apic-msrs.ts';
import { CORE_MSRS } from './core-msrs.ts';
import type { KeptMsr, MsrAnswer, MsrAsker, MsrBank } from './msr-bank.ts';
import { PARAVIRT_MSRS } from './paravirt-msrs.ts';
import { PLATFORM_MSRS } from './platform-msrs.ts';
import { TIME_MSRS } from './time-msrs.ts';

/** KVM_GET_MSR_INDEX_LIST. As KVM's own it leaves out the MTRRs, which are there all the same. */
export const MSR_INDICES: readonly number[] = [
  ...CORE_MSRS,
  ...TIME_MSRS,
  ...APIC_MSRS,
  ...PARAVIRT_MSRS,
  ...PLATFORM_MSRS,
];

/** All MSRs of one vCPU: the first bank that knows a number answers. */
export class Msrs {
  readonly #banks: readonly MsrBank[];
  readonly #value: U64Words = { high: 0, low: 0 };

  constructor(banks: readonly MsrBank[]) {
    this.#banks = banks;
  }

  read(index: number, into: U64Words, asker: MsrAsker): MsrAnswer {
    for (const bank of this.#banks) {
      const answer = bank.read(index, into, asker);
      if (answer !== 'unknown') return answer;
    }
    return 'unknown';
  }

  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer {
    for (const bank of this.#banks) {
      const answer = bank.write(index, high, low, asker);
      if (answer !== 'unknown') return answer;
    }
    return 'unknown';
  }

  /** For snapshots: what the banks keep themselves. The core's, the clock's and the APIC's are saved with those. */
  kept(): readonly KeptMsr[] {
    return this.#banks.flatMap((bank) => bank.kept?.() ?? []);
  }

  keep(values: readonly KeptMsr[]): void {
    for (const bank of this.#banks) bank.keep?.(values);
  }

  /** KVM_GET_MSRS: up to the first that can't be read. */
  getAll(indices: readonly number[]): readonly MsrEntry[] {
    const found: MsrEntry[] = [];
    for (const index of indices) {
      if (this.read(index >>> 0, this.#value, 'host') !== 'done') break;
      found.push({ index, value: (BigInt(this.#value.high) << 32n) | BigInt(this.#value.low) });
    }
    return found;
  }

  /** KVM_SET_MSRS: how many were set before the first that wasn't. */
  setAll(entries: readonly MsrEntry[]): number {
    for (const [at, { index, value }] of entries.entries()) {
      const whole = BigInt.asUintN(64, value);
      if (this.write(index >>> 0, Number(whole >> 32n), Number(whole & 0xffff_ffffn), 'host') !== 'done') return at;
    }
    return entries.length;
  }
}
