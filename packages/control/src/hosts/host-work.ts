import type { DesiredVm, HostWork } from '@unpin/contract';
import { headRevision } from '../store/changes.ts';
import { imagesToInspect } from '../store/images.ts';
import type { Db } from '../store/store.ts';
import { isOver, type VmRecord, vmsOfHost } from '../store/vms.ts';

/** All that a host shall do, as of one revision. */
export async function hostWork(db: Db, host: string): Promise<HostWork> {
  const images = await imagesToInspect(db, host);
  const vms = await vmsOfHost(db, host);
  return {
    revision: await headRevision(db),
    inspections: images.map(({ name, generation, boot }) => ({ name, generation, boot })),
    vms: vms.filter((vm) => !isOver(vm.state)).map(desiredVm),
    over: vms.filter((vm) => isOver(vm.state)).map((vm) => vm.uid),
  };
}

function desiredVm(vm: VmRecord): DesiredVm {
  return {
    name: vm.name,
    uid: vm.uid,
    desired: vm.desired,
    image: vm.image,
    boot: vm.boot,
    bootSet: vm.bootSet,
    type: vm.type,
    execution: vm.execution,
    memoryBytes: vm.memoryBytes,
    decision: vm.decision,
    ...(vm.probation === undefined ? {} : { probation: vm.probation }),
  };
}
