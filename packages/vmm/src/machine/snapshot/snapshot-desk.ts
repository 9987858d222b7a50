import { statSync } from 'node:fs';
import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { Vcpu, Vm } from '@unpin/kvm';
import type { AnyGuestMemory } from '@unpin/kvm/guest-memory';
import type { ShapedMsrs } from '@unpin/kvm/shape';
import type * as Software from '@unpin/kvm/software';
import { nowMs } from '../../clock.ts';
import type { Board } from '../board.ts';
import type { ControlBlock } from '../control-block.ts';
import type { MachineEnding, SnapshotRequest } from '../messages.ts';
import type { Teller } from '../teller.ts';
import type { Witness } from '../witness.ts';
import { type SavedMachine, saveBoard, savedOrder } from './saved-machine.ts';
import { savingError } from './snapshot-errors.ts';

/** The software KVM's module: null for a machine that another KVM runs. */
export type SoftwareModule = typeof Software;

export interface SnapshotDeskOptions {
  readonly order: LaunchOrder;
  readonly software: SoftwareModule | null;
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: AnyGuestMemory;
  readonly board: Board;
  readonly witness: Witness;
  readonly msrs: ShapedMsrs | null;
  readonly control: ControlBlock;
  readonly teller: Teller;
  readonly kernel: string | undefined;
  readonly privateMemory: string;
  /** The next request that the main thread has sent. */
  readonly next: () => SnapshotRequest | undefined;
}

/** Saves a machine between two exits, when it is asked to. */
export class SnapshotDesk {
  readonly #options: SnapshotDeskOptions;
  #seen: number;

  constructor(options: SnapshotDeskOptions) {
    this.#options = options;
    this.#seen = options.control.snapshotsWanted;
  }

  /** Looks for a request and does it. An ending where the machine was to end with it. */
  look(): MachineEnding | undefined {
    const { control, next, vcpu } = this.#options;
    if (control.snapshotsWanted === this.#seen) return undefined;
    for (let request = next(); request !== undefined; request = next()) {
      this.#seen = (this.#seen + 1) | 0;
      if (this.#serve(request) && request.stop)
        return { reason: 'requested', stop: 'stopped', rip: vcpu.getRegs().rip };
    }
    return undefined;
  }

  #serve(request: SnapshotRequest): boolean {
    const { order, teller } = this.#options;
    const begin = nowMs();
    try {
      this.#write(request);
    } catch (thrown) {
      const error = savingError(order.name, request.path, thrown);
      teller.say({ kind: 'snapshot', outcome: error.toBody() });
      return false;
    }
    const milliseconds = Math.round((nowMs() - begin) * 10) / 10;
    const { path } = request;
    const { size: bytes } = statSync(path);
    teller.event(`saved to ${path}: ${Math.round(bytes / 2 ** 20)} MiB in ${Math.round(milliseconds)} ms`);
    teller.say({ kind: 'snapshot', outcome: { path, bytes, milliseconds } });
    return true;
  }

  #write({ path, console }: SnapshotRequest): void {
    const { order, software, vm, memory, board, witness, msrs, kernel, privateMemory } = this.#options;
    const subject = order.name;
    const saved = memory.save();
    if (software === null || saved === null || !(vm instanceof software.SoftwareVm))
      throw new UnpinError('SNAPSHOT_UNAVAILABLE', {
        subject,
        found: `execution ${order.execution}`,
        needed: 'a VM that the software KVM runs: saving a VM of the kernel’s KVM is not built',
        next: 'unpin run … --kvm software',
      });
    if (witness.probation?.state === 'waiting')
      throw new UnpinError('SNAPSHOT_UNAVAILABLE', {
        subject,
        found: 'it is on probation, undecided',
        needed: 'a guest that has shown whether it reports',
      });
    const machine: SavedMachine = {
      order: savedOrder(order),
      memory: saved,
      devices: saveBoard(board),
      isMigrationReady: msrs?.isMigrationReady ?? false,
      console,
      privateMemory,
      ...(kernel === undefined ? {} : { kernel }),
    };
    software.writeSnapshot(path, vm.save(), machine);
  }
}
