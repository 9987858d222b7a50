import { type CpuState, layout } from '@unpin/x86';
import type { GuestException } from '../../port/vcpu.ts';

const PAGE_FAULT = 14;

/** The exception that the engine is about to deliver: one object, filled again for each. */
export class ToldException implements GuestException {
  vector = 0;
  errorCode: number | null = null;
  addressHigh = 0;
  addressLow = 0;
  ripHigh = 0;
  ripLow = 0;

  load(cpu: CpuState): this {
    this.vector = cpu.word(layout.FAULT_VECTOR);
    this.errorCode = cpu.word(layout.FAULT_HAS_CODE) === 0 ? null : cpu.word(layout.FAULT_CODE);
    const isPageFault = this.vector === PAGE_FAULT;
    this.addressHigh = isPageFault ? cpu.high('cr2') : 0;
    this.addressLow = isPageFault ? cpu.low('cr2') : 0;
    this.ripHigh = cpu.high('rip');
    this.ripLow = cpu.low('rip');
    return this;
  }
}
