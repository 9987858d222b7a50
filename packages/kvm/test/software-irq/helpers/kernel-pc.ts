import { Worker } from 'node:worker_threads';
import { asm16 } from '../../../conformance/guests/asm16.ts';
import { type LinuxKvm, openLinuxKvm } from '../../../src/linux/index.ts';
import type { Vcpu } from '../../../src/port/vcpu.ts';
import type { Watched } from './watchdog-thread.ts';

/** What a guest does with the chips of its PC, and what its host does with the lines. */
export type PcStep =
  | { readonly kind: 'out'; readonly port: number; readonly value: number }
  | { readonly kind: 'in'; readonly port: number }
  | { readonly kind: 'line'; readonly gsi: number; readonly level: 0 | 1 }
  /** Interrupts are let in for a moment: one comes at most. */
  | { readonly kind: 'interrupt' };

const RAM_BYTES = 0x1_0000;
const CODE = 0x1000;
const HANDLERS = 0x8000;
const HANDLER_BYTES = 16;
const TSS_GPA = 0xfffb_d000;
/** For one run of a guest, which takes microseconds. */
const LIMIT_MS = 30_000;
/** Ports that nobody has: the guest tells what it read, its vector, that a step is done, or nothing. */
const TELL_IN = 0xe1;
const TELL_VECTOR = 0xe2;
const TELL_DONE = 0xe3;
const TELL_NOTHING = 0xe4;

/** and word [bp+4], ~IF: the interrupted code goes on with interrupts off. */
const CLEAR_IF_ON_STACK = [0x89, 0xe5, 0x81, 0x66, 0x04, 0xff, 0xfd];
const NOP = 0x90;

/** PCs of the kernel's KVM, each a VM with its irqchip, whose guests do what they are told. */
export class KernelPcs {
  readonly #kvm: LinuxKvm = openLinuxKvm();
  readonly #runs = new Int32Array(new SharedArrayBuffer(4));
  #watchdog: Worker | undefined;

  /** What each step answers: the byte read, the vector taken or -1; nothing for the others. */
  run(steps: readonly PcStep[], options: { readonly pit?: boolean } = {}): readonly number[] {
    const vm = this.#kvm.createVm(0);
    const memory = this.#kvm.allocate(RAM_BYTES);
    vm.setTssAddress(TSS_GPA);
    vm.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: RAM_BYTES, hva: memory.hva });
    memory.write(0, vectors());
    memory.write(HANDLERS, handlers());
    memory.write(CODE, Uint8Array.from(steps.flatMap(codeOf)));
    vm.createIrqchip();
    if (options.pit === true) vm.createPit2(1);
    const vcpu = vm.createVcpu(0);
    try {
      this.#enter(vcpu);
      return steps.flatMap((step) => this.#perform(vcpu, step, (gsi, level) => vm.irqLine(gsi, level)));
    } finally {
      vcpu.close();
      vm.close();
      memory.close();
    }
  }

  async close(): Promise<void> {
    await this.#watchdog?.terminate();
    this.#kvm.close();
  }

  #enter(vcpu: Vcpu): void {
    const sregs = vcpu.getSregs();
    for (const name of ['cs', 'ds', 'es', 'ss'] as const) Object.assign(sregs[name], { base: 0n, selector: 0 });
    vcpu.setSregs(sregs);
    vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rsp: 0xf000n, rflags: 2n });
    const workerData: Watched = { target: vcpu.kickTarget(), runs: this.#runs, limitMs: LIMIT_MS };
    this.#watchdog ??= new Worker(new URL('watchdog-thread.ts', import.meta.url), { workerData });
    this.#watchdog.unref();
  }

  #perform(vcpu: Vcpu, step: PcStep, line: (gsi: number, level: 0 | 1) => void): number[] {
    const told: number[] = [];
    for (;;) {
      Atomics.add(this.#runs, 0, 1);
      const exit = vcpu.run();
      Atomics.add(this.#runs, 0, 1);
      if (exit.kind !== 'io') throw new Error(`an exit ${exit.kind} in ${JSON.stringify(step)}`);
      const [value = -1] = exit.data;
      if (exit.port === TELL_DONE) break;
      if (exit.port !== TELL_NOTHING) told.push(value);
    }
    if (step.kind === 'line') line(step.gsi, step.level);
    return step.kind === 'interrupt' && told.length === 0 ? [-1] : told;
  }
}

function codeOf(step: PcStep): number[] {
  const done = asm16.outImm8(TELL_DONE);
  switch (step.kind) {
    case 'out':
      return [...asm16.movDx(step.port), ...asm16.movAl(step.value), ...asm16.outAl, ...done];
    case 'in':
      return [...asm16.movDx(step.port), ...asm16.inAl, ...asm16.outImm8(TELL_IN), ...done];
    case 'line':
      return [...done];
    case 'interrupt':
      // The exit lets a KVM that emulates real mode look for interrupts.
      return [...asm16.sti, NOP, ...asm16.outImm8(TELL_NOTHING), NOP, ...asm16.cli, ...done];
  }
}

function vectors(): Uint8Array {
  const table = new DataView(new ArrayBuffer(0x400));
  for (let vector = 0; vector < 256; vector += 1) table.setUint16(vector * 4, HANDLERS + vector * HANDLER_BYTES, true);
  return new Uint8Array(table.buffer);
}

function handlers(): Uint8Array {
  const code = new Uint8Array(256 * HANDLER_BYTES);
  for (let vector = 0; vector < 256; vector += 1)
    code.set(
      [...asm16.movAl(vector), ...asm16.outImm8(TELL_VECTOR), ...CLEAR_IF_ON_STACK, ...asm16.iret],
      vector * HANDLER_BYTES,
    );
  return code;
}
