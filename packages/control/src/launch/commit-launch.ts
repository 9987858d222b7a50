import { appendAudit } from '../store/audit.ts';
import { appendChange } from '../store/changes.ts';
import { findHost } from '../store/hosts.ts';
import { findImage } from '../store/images.ts';
import type { Db } from '../store/store.ts';
import { insertVm, pinnedByHost } from '../store/vms.ts';
import { type LaunchPlan, nameTaken } from './plan-launch.ts';

/**
 * The one point at which a planned launch becomes real. Plans are made on a snapshot, several at a time; here, as the
 * only writer, what a plan rests on is looked at again. False where it no longer holds: plan again. ALREADY_EXISTS
 * where another took the name meanwhile.
 */
export async function commitLaunch(db: Db, plan: LaunchPlan, actor: string): Promise<boolean> {
  const { vm } = plan;
  const image = await findImage(db, vm.image);
  if (image?.state !== 'ready' || image.generation !== plan.imageGeneration) return false;
  const host = await findHost(db, vm.host);
  if (host === undefined || host.epoch !== plan.hostEpoch) return false;
  const pinned = (await pinnedByHost(db)).get(vm.host) ?? 0;
  if (vm.pinnedBytes > 0 && pinned + vm.pinnedBytes > host.capabilities.host.memoryBytes) return false;

  if (!(await insertVm(db, vm))) throw nameTaken(vm.name);
  const at = vm.createdAt;
  await appendAudit(db, {
    at,
    actor,
    action: 'vm.create',
    subject: vm.name,
    outcome: 'done',
    detail: { uid: vm.uid, image: vm.image, host: vm.host, execution: vm.execution, decision: vm.decision },
  });
  await appendChange(db, { at, kind: 'vm', name: vm.name, action: 'added', workFor: vm.host });
  return true;
}
