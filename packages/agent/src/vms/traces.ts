import { UnpinError, type vmmRoutes } from '@unpin/contract';
import type { Client } from '@unpin/contract/client';
import type { VmDir } from './vm-dir.ts';

type Vmm = Client<typeof vmmRoutes>;

/** Milliseconds for a VMM's answer: it waits for events, and looks up symbols in the guest's kernel. */
const ANSWER_MS = 10_000;

/** A VM's traces: its VMM's alone. They end with it, and whoever goes away while it waits ends them there. */
export class Traces {
  readonly #vmm: Vmm;
  readonly #dir: VmDir;

  constructor(vmm: Vmm, dir: VmDir) {
    this.#vmm = vmm;
    this.#dir = dir;
  }

  start(call: Parameters<Vmm['startTrace']>[0]): ReturnType<Vmm['startTrace']> {
    return this.#ask(() => this.#vmm.startTrace(call, { timeoutMs: ANSWER_MS }));
  }

  read(call: Parameters<Vmm['readTrace']>[0], signal: AbortSignal): ReturnType<Vmm['readTrace']> {
    return this.#ask(() => this.#vmm.readTrace(call, { timeoutMs: ANSWER_MS, signal }));
  }

  end(call: Parameters<Vmm['endTrace']>[0]): ReturnType<Vmm['endTrace']> {
    return this.#ask(() => this.#vmm.endTrace(call, { timeoutMs: ANSWER_MS }));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof UnpinError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      throw new UnpinError('CONFLICT', {
        subject: this.#dir.path,
        found: 'no VMM that answers',
        needed: 'a VM that runs',
        cause: error,
      });
    }
  }
}
