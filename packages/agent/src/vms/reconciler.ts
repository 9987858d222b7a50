import { readdirSync } from 'node:fs';
import { type DesiredVm, type HostWork, UnpinError, type VmStatus } from '@unpin/contract';
import type { Logger } from 'pino';
import { observe } from './observe.ts';
import { vmsDir } from './vm-dir.ts';
import { type KeeperDeps, VmKeeper } from './vm-keeper.ts';

export interface ReconcilerDeps extends KeeperDeps {
  /** Delivers a status; rejects where the control plane did not take it. */
  readonly deliver: (status: VmStatus) => Promise<void>;
  readonly log: Logger;
}

/** Milliseconds after which an unchanged state is told again, for its figures. */
const FIGURES_EVERY_MS = 5000;

/** Brings the VMs of this host to what is wanted, and tells how they are. Level-triggered: each round looks anew. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #keepers = new Map<string, VmKeeper>();
  readonly #told = new Map<string, { readonly state: string; readonly at: number }>();
  readonly #busy = new Set<string>();
  #work: HostWork = { revision: 0, inspections: [], vms: [], over: [] };
  #strays: string[] = [];

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** VMs that run here and that the control plane does not know of. They are let be. */
  get strays(): readonly string[] {
    return this.#strays;
  }

  want(work: HostWork): void {
    this.#work = work;
  }

  /** The keeper of a VM that is wanted here, or that is over and not yet deleted. */
  keeper(uid: string): VmKeeper | undefined {
    const { vms, over } = this.#work;
    return over.includes(uid) || vms.some((vm) => vm.uid === uid) ? this.#keeperOf(uid) : undefined;
  }

  /** One round over all VMs, side by side; one that is still at its last step is left to it. Never rejects. */
  async round(): Promise<void> {
    const { vms } = this.#work;
    await Promise.all(vms.filter((vm) => !this.#busy.has(vm.uid)).map((vm) => this.#one(vm)));
    this.#clearUp();
  }

  async #one(vm: DesiredVm): Promise<void> {
    this.#busy.add(vm.uid);
    try {
      const keeper = this.#keeperOf(vm.uid);
      await this.#tell(await keeper.step(vm));
    } catch (error) {
      if (this.#deps.ending.aborted) return;
      this.#deps.log.error({ err: error, vm: vm.name }, 'a VM could not be brought to what is wanted');
    } finally {
      this.#busy.delete(vm.uid);
    }
  }

  #keeperOf(uid: string): VmKeeper {
    const known = this.#keepers.get(uid);
    if (known !== undefined) return known;
    const keeper = new VmKeeper(uid, this.#deps);
    this.#keepers.set(uid, keeper);
    return keeper;
  }

  async #tell(status: VmStatus): Promise<void> {
    const told = this.#told.get(status.uid);
    const now = this.#deps.now();
    if (told?.state === status.state && now - told.at < FIGURES_EVERY_MS) return;
    try {
      await this.#deps.deliver(status);
      this.#told.set(status.uid, { state: status.state, at: now });
    } catch (error) {
      // It is told again in the next round; until then the control plane has the word before.
      this.#deps.log.info({ uid: status.uid, reason: String(error) }, 'a status was not delivered');
    }
  }

  /** Takes away what deleted VMs have left; a VM that nobody asked for but that runs is let be, and shown. */
  #clearUp(): void {
    const { revision, vms, over } = this.#work;
    if (revision === 0) return;
    const wanted = new Set(vms.map((vm) => vm.uid));
    const kept = new Set(over);
    const strays: string[] = [];
    for (const uid of vmDirs(this.#deps.stateDir)) {
      if (wanted.has(uid) || kept.has(uid) || this.#busy.has(uid)) continue;
      const keeper = this.#keeperOf(uid);
      if (observe(keeper.dir, undefined).kind === 'running') strays.push(uid);
      else {
        keeper.forget();
        this.#keepers.delete(uid);
        this.#told.delete(uid);
      }
    }
    this.#strays = strays;
  }
}

function vmDirs(stateDir: string): string[] {
  try {
    return readdirSync(vmsDir(stateDir));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new UnpinError('IO', { subject: vmsDir(stateDir), found: String(error), cause: error });
  }
}
