import { type CreateVm, UnpinError } from '@unpin/contract';
import type { Services } from '../services.ts';
import { appendAudit } from '../store/audit.ts';
import type { VmRecord } from '../store/vms.ts';
import { findVm } from '../store/vms.ts';
import { commitLaunch } from './commit-launch.ts';
import { type LaunchPlan, planLaunch } from './plan-launch.ts';
import { readLaunchSnapshot } from './read-snapshot.ts';

/** Plans that may be overtaken by others' commits before this one gives up. */
const ATTEMPTS = 5;

/** Refusals that are decisions, not slips of the request: these go into the audit log. */
const AUDITED = new Set(['ADMISSION_REFUSED', 'ADMISSION_UNKNOWN', 'PLACEMENT_FAILED']);

/** Plans on a snapshot, commits in one transaction that looks again. Nothing of a refusal is stored but its record. */
export async function launch(services: Services, request: CreateVm, actor: string): Promise<VmRecord> {
  const { store, presence } = services;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const at = services.now();
    const snapshot = await store.read((db) => readLaunchSnapshot(db, request, presence, at));
    let plan: LaunchPlan;
    try {
      plan = planLaunch(request, snapshot, { uid: services.newUid(), at });
    } catch (error) {
      await auditRefusal(services, request, actor, at, error);
      throw error;
    }
    const stored = await store.write(async (db) =>
      (await commitLaunch(db, plan, actor)) ? findVm(db, request.name) : undefined,
    );
    if (stored !== undefined) return stored;
  }
  throw new UnpinError('CONFLICT', {
    subject: `VM ${request.name}`,
    found: 'its image or its host changed while it was being placed',
    next: 'try again',
  });
}

async function auditRefusal(services: Services, request: CreateVm, actor: string, at: number, error: unknown) {
  if (!(error instanceof UnpinError) || !AUDITED.has(error.code)) return;
  await services.store.write((db) =>
    appendAudit(db, {
      at,
      actor,
      action: 'vm.create',
      subject: request.name,
      outcome: 'refused',
      detail: { request, error: error.toBody() },
    }),
  );
}
