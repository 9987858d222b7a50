import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type LinuxKvm, openLinuxKvm } from '../../src/linux/index.ts';
import type { HostMemory } from '../../src/port/host-memory.ts';
import type { Kicker, Vcpu } from '../../src/port/vcpu.ts';
import type { Vm } from '../../src/port/vm.ts';
import type { GuestJob, GuestMessage, Outcome, Step } from './guest-steps.ts';

export const RAM_BYTES = 0x1_0000;
export const CODE = 0x1000;
const TSS_GPA = 0xfffb_d000;
const LIMIT_MS = 60_000;

/** False, or why /dev/kvm can't be used here. */
export function noKvmHere(): string | false {
  if (!existsSync('/dev/kvm')) return 'no /dev/kvm on this machine';
  try {
    openLinuxKvm().close();
    return false;
  } catch (error) {
    return `/dev/kvm can't be opened: ${String(error)}`;
  }
}

/** A VM of the default type with 64 KiB of RAM at 0 and code at CODE, to be run in real mode by a thread. */
export class RealModeMachine {
  readonly kvm: LinuxKvm = openLinuxKvm();
  readonly vm: Vm = this.kvm.createVm(0);
  readonly memory: HostMemory;
  readonly #vcpu: Vcpu;

  /** `prepare` comes before the vCPU is created. */
  constructor(code: Iterable<number>, prepare: (vm: Vm) => void = () => {}) {
    this.vm.setTssAddress(TSS_GPA);
    this.memory = this.kvm.allocate(RAM_BYTES);
    this.vm.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: RAM_BYTES, hva: this.memory.hva });
    this.memory.write(CODE, Uint8Array.from(code));
    prepare(this.vm);
    this.#vcpu = this.vm.createVcpu(0);
  }

  /**
   * Does the steps in a thread of their own; `onReady` gets a kicker before the first. A guest that takes too long is
   * kicked out until it ends.
   */
  async perform(steps: readonly Step[], onReady: (kicker: Kicker) => void = () => {}): Promise<readonly Outcome[]> {
    const workerData: GuestJob = { vm: this.vm.handle, vcpu: this.#vcpu.handle, rip: CODE, steps };
    const worker = new Worker(new URL('guest-thread.ts', import.meta.url), { workerData });
    let watchdog: NodeJS.Timeout | undefined;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Outcome[]>();
    let outcomes: readonly Outcome[] | null = null;
    worker.on('message', (message: GuestMessage) => {
      if ('outcomes' in message) {
        outcomes = message.outcomes;
        return;
      }
      const kicker = this.kvm.openKicker(message.target);
      watchdog = setTimeout(() => {
        watchdog = setInterval(() => kicker.kick(), 100);
      }, LIMIT_MS);
      onReady(kicker);
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      if (outcomes === null) reject(new Error("the guest's thread ended without a result"));
      else resolve(outcomes);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(watchdog);
    }
  }

  close(): void {
    this.#vcpu.close();
    this.vm.close();
    this.memory.close();
    this.kvm.close();
  }
}
