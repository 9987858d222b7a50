import { isDeepStrictEqual } from 'node:util';
import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { Kvm, Vcpu, Vm } from '@unpin/kvm';
import { type AnyGuestMemory, restoreGuestMemory } from '@unpin/kvm/guest-memory';
import type { Regime } from '@unpin/policy';
import { ramRanges } from '../../boot/index.ts';
import { cBitOf } from '../regime-memory.ts';
import { type SavedMachine, type SavedOrder, savedOrder } from './saved-machine.ts';
import type { SoftwareModule } from './snapshot-desk.ts';
import { restoringError } from './snapshot-errors.ts';

/** A machine as it was saved, before its board. */
export interface RestoredMachine {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: AnyGuestMemory;
  readonly saved: SavedMachine;
  /** Of the frames that came back. */
  readonly bytes: number;
}

/** What an order to go on needs. */
export interface RestoreTask {
  readonly path: string;
  readonly order: LaunchOrder;
  readonly regime: Regime;
  readonly kvm: Kvm;
  readonly software: SoftwareModule | null;
}

/**
 * VM, vCPU and memory of a snapshot, in a KVM that holds nothing yet.
 * @throws UnpinError SNAPSHOT_INVALID, also where the order means another machine; FILE_NOT_FOUND, FILE_UNREADABLE; KvmError
 */
export function restoreMachine({ path, order, regime, kvm, software }: RestoreTask): RestoredMachine {
  try {
    if (software === null || !(kvm instanceof software.SoftwareKvm))
      throw new UnpinError('SNAPSHOT_INVALID', {
        subject: path,
        found: `execution ${order.execution}`,
        needed: 'execution emulated: snapshots are of VMs of the software KVM',
      });
    const { snapshot, user } = software.readSnapshot(path);
    const saved = user as SavedMachine;
    checkSameMachine(path, saved.order, savedOrder(order));
    const vm = kvm.restoreVm(snapshot);
    const [vcpu] = vm.vcpus;
    if (vcpu === undefined) throw new RangeError('it has no vCPU');
    const ranges = ramRanges(order.memoryBytes);
    const cBit = cBitOf({ kvm, regime, execution: order.execution, ram: ranges });
    const memory = restoreGuestMemory({ kvm, vm, ranges, cBit, saved: saved.memory });
    return { vm, vcpu, memory, saved, bytes: snapshot.machine.memory.frames.bytes.length };
  } catch (thrown) {
    throw restoringError(path, thrown);
  }
}

/** What differs between the machine that was saved and the one that is ordered must not be found out by the guest. */
function checkSameMachine(path: string, saved: SavedOrder, ordered: SavedOrder): void {
  for (const part of ['type', 'regime', 'execution', 'memoryBytes', 'boot'] as const)
    if (!isDeepStrictEqual(saved[part], ordered[part]))
      throw new UnpinError('SNAPSHOT_INVALID', {
        subject: path,
        found: `${part} ${JSON.stringify(saved[part])}`,
        needed: `${part} ${JSON.stringify(ordered[part])}, as ordered`,
      });
}
