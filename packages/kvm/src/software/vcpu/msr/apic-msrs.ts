import { APIC_BASE_MSR, LocalApic, type U64Words } from '../../irq/index.ts';
import { give, type MsrAnswer, type MsrAsker, type MsrBank } from './msr-bank.ts';

const TSC_DEADLINE = 0x6e0;

export const APIC_MSRS = [TSC_DEADLINE];

/** The local APIC's MSRs. Without one in KVM, user space's base is kept for it. */
export class ApicMsrs implements MsrBank {
  readonly #apic: () => LocalApic | null;
  readonly #base: { high: number; low: number };
  readonly #checkBase: (high: number, low: number) => boolean;

  constructor(
    apic: () => LocalApic | null,
    base: { high: number; low: number },
    checkBase: (high: number, low: number) => boolean,
  ) {
    this.#apic = apic;
    this.#base = base;
    this.#checkBase = checkBase;
  }

  read(index: number, into: U64Words): MsrAnswer {
    if (!LocalApic.hasMsr(index)) return 'unknown';
    const apic = this.#apic();
    if (apic !== null) return apic.readMsr(index, into);
    if (index === APIC_BASE_MSR) return give(into, this.#base.high, this.#base.low);
    return index === TSC_DEADLINE ? give(into, 0, 0) : 'refused';
  }

  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer {
    if (!LocalApic.hasMsr(index)) return 'unknown';
    const apic = this.#apic();
    if (apic !== null) return apic.writeMsr(index, high, low, asker === 'host');
    if (index === TSC_DEADLINE) return 'done';
    if (index !== APIC_BASE_MSR || !this.#checkBase(high, low)) return 'refused';
    this.#base.high = high;
    this.#base.low = low;
    return 'done';
  }
}
