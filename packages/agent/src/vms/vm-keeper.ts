import { mkdirSync, rmSync } from 'node:fs';
import { type DesiredVm, UnpinError, type VmReport, type VmStatus, vmmRoutes } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import type { PreparedBoot } from '../inspection/inspect.ts';
import { Journals } from './journals.ts';
import { launchOrder } from './launch-order.ts';
import { nextStep } from './next-step.ts';
import { observe } from './observe.ts';
import { type ProcessId, signalVmm } from './processes.ts';
import { noteRefusal, startVmm } from './start-vmm.ts';
import { Traces } from './traces.ts';
import { VmDir } from './vm-dir.ts';

export interface KeeperDeps {
  readonly stateDir: string;
  readonly vmm: string;
  /** @param folder for what is taken out of a disk image: an empty one where it is one */
  readonly prepare: (boot: DesiredVm['boot'], folder: string) => Promise<PreparedBoot>;
  readonly now: () => number;
  /** Fires when the agent ends. */
  readonly ending: AbortSignal;
}

/** Milliseconds for a VMM's answer; its figures come from a running guest. */
const ANSWER_MS = 3000;
/** Milliseconds that a VMM has to end its guest before it is told by signal, and before it is killed. */
const STOP_MS = 40_000;
const KILL_MS = 60_000;

/** One VM of this host: carries out what is wanted of it, one step at a time. */
export class VmKeeper {
  readonly uid: string;
  readonly dir: VmDir;
  readonly journals: Journals;
  readonly traces: Traces;
  readonly #deps: KeeperDeps;
  readonly #vmm: Client<typeof vmmRoutes>;
  #process: ProcessId | undefined;
  #report: VmReport | undefined;
  #stopAskedAt: number | undefined;

  constructor(uid: string, deps: KeeperDeps) {
    this.uid = uid;
    this.#deps = deps;
    this.dir = new VmDir(deps.stateDir, uid);
    this.#vmm = createClient(vmmRoutes, { socketPath: this.dir.sockets.api });
    this.journals = new Journals(this.#vmm, this.dir);
    this.traces = new Traces(this.#vmm, this.dir);
  }

  /** Looks, does what is next, and says how the VM then is. */
  async step(vm: DesiredVm): Promise<VmStatus> {
    const observed = observe(this.dir, this.#process);
    this.#process = observed.kind === 'running' ? observed.process : this.#process;
    const step = nextStep(vm.name, this.uid, vm.desired, observed);
    switch (step.do) {
      case 'start':
        return await this.#start(vm);
      case 'watch':
        return await this.statusNow();
      case 'stop':
        this.#stop(step.process);
        return await this.statusNow();
      case 'report':
        return step.status;
    }
  }

  /** What the VMM says of its VM just now; its last word where it does not answer. */
  async statusNow(): Promise<VmStatus> {
    try {
      this.#report = await this.#vmm.getVm({}, { timeoutMs: ANSWER_MS });
    } catch (error) {
      if (!(error instanceof UnpinError)) throw error;
    }
    const report = this.#report;
    const state = report?.state ?? 'preparing';
    return {
      uid: this.uid,
      // The end is told by the process that is gone, with all that it said: not by one that is about to go.
      state: state === 'ended' || state === 'failed' ? 'running' : state,
      sockets: this.dir.sockets,
      ...(report === undefined ? {} : { report }),
    };
  }

  /** Takes the directory away: the VM has been deleted. */
  forget(): void {
    rmSync(this.dir.path, { recursive: true, force: true });
  }

  async #start(vm: DesiredVm): Promise<VmStatus> {
    try {
      const order = launchOrder(vm, await this.#deps.prepare(vm.boot, this.#bootFolder(vm)));
      this.#process = await startVmm(this.#deps.vmm, this.dir, order);
      return { uid: this.uid, state: 'preparing', sockets: this.dir.sockets };
    } catch (error) {
      // What failed because the agent ends says nothing of the VM: the next agent tries.
      if (this.#deps.ending.aborted) throw error;
      const body = UnpinError.from(error).toBody();
      noteRefusal(this.dir, body);
      return { uid: this.uid, state: 'failed', error: body };
    }
  }

  /** Empty, whatever an agent before this one has left; it is there where a disk image starts. */
  #bootFolder({ boot }: DesiredVm): string {
    rmSync(this.dir.boot, { recursive: true, force: true });
    if (boot.kind === 'disk') mkdirSync(this.dir.boot, { recursive: true, mode: 0o700 });
    return this.dir.boot;
  }

  /** Asks once, then insists: the VMM's API, its SIGTERM, SIGKILL. */
  #stop(process: ProcessId): void {
    const now = this.#deps.now();
    this.#stopAskedAt ??= now;
    const waited = now - this.#stopAskedAt;
    if (waited >= KILL_MS) signalVmm(process, this.dir.path, 'SIGKILL');
    else if (waited >= STOP_MS) signalVmm(process, this.dir.path, 'SIGTERM');
    else if (waited === 0)
      this.#vmm.stopVm({}, { timeoutMs: STOP_MS }).catch(() => {
        // Not listening yet, or no longer: the signal is heard in either case.
        signalVmm(process, this.dir.path, 'SIGTERM');
      });
  }
}
