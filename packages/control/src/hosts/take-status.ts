import { UnpinError, type VmStatus } from '@unpin/contract';
import { hostActor } from '../http/actor.ts';
import { appendAudit } from '../store/audit.ts';
import { appendChange } from '../store/changes.ts';
import { fencedHost } from '../store/hosts.ts';
import type { Db } from '../store/store.ts';
import { findVmByUid, isOver, storeStatus, type VmRecord } from '../store/vms.ts';

export interface StatusReceived {
  readonly host: string;
  readonly epoch: number;
  readonly uid: string;
  readonly status: VmStatus;
  readonly at: number;
}

/** Takes a host's word on one of its VMs. NOT_FOUND where it is not, or no longer, one of its own. */
export async function takeStatus(db: Db, received: StatusReceived): Promise<void> {
  const { host, uid, status, at } = received;
  await fencedHost(db, host, received.epoch);
  const vm = await findVmByUid(db, uid);
  if (vm === undefined || vm.host !== host || status.uid !== uid)
    throw new UnpinError('NOT_FOUND', { subject: `VM ${uid} of host ${host}` });
  // An end is an end: a word that was under way when it came must not bring the VM back.
  if (isOver(vm.state) && !isOver(status.state)) return;
  await storeStatus(db, status);
  if (vm.state === status.state) return;
  await appendChange(db, { at, kind: 'vm', name: vm.name, action: 'changed' });
  if (isOver(status.state)) await auditEnd(db, vm, received);
}

async function auditEnd(db: Db, vm: VmRecord, { host, status, at }: StatusReceived): Promise<void> {
  await appendAudit(db, {
    at,
    actor: hostActor(host),
    action: `vm.${status.state}`,
    subject: vm.name,
    outcome: 'done',
    detail: { uid: vm.uid, ending: status.ending, error: status.error },
  });
}
