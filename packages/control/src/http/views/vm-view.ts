import type { VmStatus, VmView } from '@unpin/contract';
import type { Execution } from '@unpin/policy';
import type { VmRecord } from '../../store/vms.ts';

const MARKS: Readonly<Record<Execution, string>> = { hardware: '', shaped: 'SHAPED', emulated: 'EMULATED' };

/** A VM for people; `live` is its host's answer of just now, where there is one. */
export function vmView(vm: VmRecord, live?: VmStatus): VmView {
  const report = live?.report ?? vm.report;
  const ending = live?.ending ?? report?.ending ?? vm.ending;
  const figures = live?.figures ?? live?.report?.figures ?? vm.figures ?? vm.report?.figures;
  const error = live?.error ?? vm.error;
  const sockets = live?.sockets ?? vm.sockets;
  return {
    name: vm.name,
    uid: vm.uid,
    image: vm.image,
    type: vm.type,
    memoryBytes: vm.memoryBytes,
    host: vm.host,
    execution: vm.execution,
    confidential: vm.confidential,
    mark: MARKS[vm.execution],
    allow: [...vm.allow],
    decision: vm.decision,
    ...(vm.probation === undefined ? {} : { probation: vm.probation }),
    bootSet: vm.bootSet,
    desired: vm.desired,
    state: live?.state ?? vm.state,
    createdAt: new Date(vm.createdAt).toISOString(),
    ...(report === undefined ? {} : { report }),
    live: live !== undefined,
    ...(ending === undefined ? {} : { ending }),
    ...(figures === undefined ? {} : { figures }),
    ...(error === undefined ? {} : { error }),
    ...(sockets === undefined ? {} : { sockets }),
  };
}
