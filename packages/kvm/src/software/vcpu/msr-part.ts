import { layout } from '@unpin/x86';
import type { VcpuExit } from '../../port/exit.ts';
import { DEVICE_FLAGS } from '../../uapi/constants.ts';
import type { VmParts } from '../vm-parts.ts';
import { SoftwareRdmsr, SoftwareWrmsr } from './exits.ts';
import { isCoreMsr } from './msr/core-msrs.ts';
import type { Msrs } from './msr/msrs.ts';
import { SEV_STATUS } from './msr/sev-msrs.ts';
import type { Processor } from './processor.ts';

const { KVM_MSR_EXIT_REASON_INVAL, KVM_MSR_EXIT_REASON_UNKNOWN, KVM_MSR_EXIT_REASON_FILTER } = DEVICE_FLAGS;

/** RDMSR and WRMSR of MSRs that KVM holds, filters or doesn't know. */
export class MsrPart {
  readonly #vm: VmParts;
  readonly #processor: Processor;
  readonly #msrs: Msrs;
  readonly #rdmsr = new SoftwareRdmsr();
  readonly #wrmsr = new SoftwareWrmsr();
  readonly #value = { high: 0, low: 0 };
  #isWrite = false;

  constructor(vm: VmParts, processor: Processor, msrs: Msrs) {
    this.#vm = vm;
    this.#processor = processor;
    this.#msrs = msrs;
  }

  /** EXIT_RDMSR and EXIT_WRMSR: the exit, or null where KVM has its answer. Both are completed by doing it again. */
  ask(isWrite: boolean): VcpuExit | null {
    const { cpu } = this.#processor.engine;
    const index = cpu.word(layout.EXIT_ARG0);
    this.#isWrite = isWrite;
    const { settings } = this.#vm;
    if (index !== SEV_STATUS && !settings.msrFilter.allows(index, isWrite ? 'write' : 'read'))
      return this.#refuse(index, KVM_MSR_EXIT_REASON_FILTER);
    if (isCoreMsr(index)) return this.#answer(layout.MSR_OWN);
    const answer = isWrite ? this.#write(index) : this.#msrs.read(index, this.#value, 'guest');
    switch (answer) {
      case 'done':
        if (!isWrite) this.#give(this.#value.high, this.#value.low);
        return this.#answer(layout.MSR_DONE);
      case 'refused':
        return this.#refuse(index, KVM_MSR_EXIT_REASON_INVAL);
      case 'unknown':
        return this.#refuse(index, KVM_MSR_EXIT_REASON_UNKNOWN);
    }
  }

  /** Takes user space's answer. */
  complete(): void {
    const { isRefused } = this.#isWrite ? this.#wrmsr : this.#rdmsr;
    if (!this.#isWrite && !isRefused) this.#give(this.#rdmsr.high, this.#rdmsr.low);
    this.#answer(isRefused ? layout.MSR_REFUSED : layout.MSR_DONE);
  }

  #write(index: number): ReturnType<Msrs['write']> {
    const { cpu } = this.#processor.engine;
    return this.#msrs.write(index, cpu.word(layout.EXIT_ARG1 + 4), cpu.word(layout.EXIT_ARG1), 'guest');
  }

  /** #GP, unless user space wants to know of this reason. */
  #refuse(index: number, why: number): VcpuExit | null {
    if ((this.#vm.settings.msrExits & why) === 0) return this.#answer(layout.MSR_REFUSED);
    if (!this.#isWrite) return this.#rdmsr.load(index, why);
    const { cpu } = this.#processor.engine;
    return this.#wrmsr.load(index, why, cpu.word(layout.EXIT_ARG1 + 4), cpu.word(layout.EXIT_ARG1));
  }

  #give(high: number, low: number): void {
    const { cpu } = this.#processor.engine;
    cpu.setWord(layout.EXIT_ARG1, low);
    cpu.setWord(layout.EXIT_ARG1 + 4, high);
  }

  #answer(word: number): null {
    this.#processor.engine.cpu.setWord(layout.EXIT_ARG2, word);
    return null;
  }
}
