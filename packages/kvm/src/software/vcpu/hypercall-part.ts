import type { VcpuExit } from '../../port/exit.ts';
import type { VmParts } from '../vm-parts.ts';
import { SoftwareHypercall } from './exits.ts';
import { judgeHypercall } from './hypercall.ts';
import type { Processor } from './processor.ts';

/** VMMCALL and VMCALL have three bytes. */
const INSTRUCTION_BYTES = 3n;
const WORD = 2 ** 32;
const ARGUMENTS = ['rbx', 'rcx', 'rdx', 'rsi'] as const;

/** VMMCALL: answered by KVM, or handed to user space with RIP at the instruction. */
export class HypercallPart {
  readonly #vm: VmParts;
  readonly #processor: Processor;
  readonly #exit = new SoftwareHypercall();

  constructor(vm: VmParts, processor: Processor) {
    this.#vm = vm;
    this.#processor = processor;
  }

  /** EXIT_HYPERCALL, RIP behind the instruction: the exit, or null where KVM has answered. */
  ask(): VcpuExit | null {
    const { cpu } = this.#processor.engine;
    const longMode = cpu.codeBits === 64;
    const exit = this.#exit;
    exit.longMode = longMode;
    exit.nr = (longMode ? cpu.high('rax') * WORD : 0) + cpu.low('rax');
    for (const [at, name] of ARGUMENTS.entries()) {
      exit.args[at * 2] = cpu.low(name);
      exit.args[at * 2 + 1] = longMode ? cpu.high(name) : 0;
    }
    const answer = judgeHypercall({
      nr: exit.nr,
      cpl: cpu.cpl,
      exits: this.#vm.settings.hypercallExits,
      gpaLow: exit.args[0] ?? 0,
      gpaHigh: exit.args[1] ?? 0,
      pagesLow: exit.args[2] ?? 0,
      pagesHigh: exit.args[3] ?? 0,
    });
    exit.setReturn(answer === 'exit' ? 0 : answer);
    if (answer !== 'exit') {
      this.#give();
      return null;
    }
    cpu.set('rip', cpu.get('rip') - INSTRUCTION_BYTES);
    return exit;
  }

  /** Takes user space's answer. */
  complete(): void {
    const { cpu } = this.#processor.engine;
    cpu.set('rip', cpu.get('rip') + INSTRUCTION_BYTES);
    this.#give();
  }

  #give(): void {
    const { returnLow, returnHigh, longMode } = this.#exit;
    this.#processor.engine.cpu.setHalves('rax', returnLow, longMode ? returnHigh : 0);
  }
}
