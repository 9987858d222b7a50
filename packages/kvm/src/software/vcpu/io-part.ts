import { layout } from '@unpin/x86';
import type { VcpuExit } from '../../port/exit.ts';
import type { VmParts } from '../vm-parts.ts';
import { SoftwareIo } from './exits.ts';
import type { Processor } from './processor.ts';

const IS_OUT = 1 << 24;

/** Port I/O: KVM's own chips and doorbells, and what goes to user space. */
export class IoPart {
  readonly #vm: VmParts;
  readonly #processor: Processor;
  readonly #exit = new SoftwareIo();

  constructor(vm: VmParts, processor: Processor) {
    this.#vm = vm;
    this.#processor = processor;
  }

  /** EXIT_IO: the exit, or null where KVM has done it. Both are completed by doing the instruction again. */
  ask(): VcpuExit | null {
    const { cpu } = this.#processor.engine;
    const what = cpu.word(layout.EXIT_ARG0);
    const port = what & 0xffff;
    const size = ((what >>> 16) & 0xff) as 1 | 2 | 4;
    const isOut = (what & IS_OUT) !== 0;
    const one = this.#exit.load(isOut ? 'out' : 'in', port, size, 1).data;
    if (isOut) {
      this.#processor.copyOut(layout.IO_DATA, one);
      return this.#vm.controllers.writePort(port, one) ? null : this.#exit;
    }
    if (this.#vm.controllers.readPort(port, one)) {
      // One item at a time: the rest of a REP INS asks again.
      cpu.setWord(layout.EXIT_ARG2, 1);
      this.complete();
      return null;
    }
    return this.#exit.load('in', port, size, cpu.word(layout.EXIT_ARG2));
  }

  /** User space has filled the data of an IN. */
  complete(): void {
    if (this.#exit.direction === 'in') this.#processor.copyIn(layout.IO_DATA, this.#exit.data);
  }
}
