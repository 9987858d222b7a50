import type { U64Words } from '../../irq/index.ts';
import { give, type MsrAnswer, type MsrBank } from './msr-bank.ts';

/** SEV_STATUS (AMD64 APM 2, 15.34.10). */
export const SEV_STATUS = 0xc001_0131;
const SEV_ENABLED = 1;

/** A SEV guest's own view of itself. The processor answers it, not KVM: no filter sees it, user space can't read it. */
export class SevMsrs implements MsrBank {
  readonly #isSev: () => boolean;

  constructor(isSev: () => boolean) {
    this.#isSev = isSev;
  }

  read(index: number, into: U64Words): MsrAnswer {
    return index === SEV_STATUS && this.#isSev() ? give(into, 0, SEV_ENABLED) : 'unknown';
  }

  write(index: number): MsrAnswer {
    return index === SEV_STATUS && this.#isSev() ? 'refused' : 'unknown';
  }
}
