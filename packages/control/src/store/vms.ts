import type {
  DecisionMessage,
  DesiredState,
  Ending,
  ErrorBody,
  Figures,
  ImageBoot,
  VmPhase,
  VmReport,
  VmSockets,
  VmStatus,
} from '@unpin/contract';
import type { Execution, VmTypeId } from '@unpin/policy';
import type { Selectable } from 'kysely';
import { parsed, text } from './json.ts';
import type { VmsTable } from './schema.ts';
import type { Db } from './store.ts';

/** What the control plane decided when it made a VM. */
export interface NewVm {
  readonly name: string;
  readonly uid: string;
  readonly image: string;
  readonly boot: ImageBoot;
  readonly bootSet: string;
  readonly type: VmTypeId;
  readonly memoryBytes: number;
  readonly pinnedBytes: number;
  readonly allow: readonly Execution[];
  readonly decision: DecisionMessage;
  readonly probation: { readonly fallback: VmTypeId } | undefined;
  readonly host: string;
  readonly execution: Execution;
  readonly confidential: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

export interface VmRecord extends NewVm {
  readonly desired: DesiredState;
  readonly state: VmPhase;
  readonly report: VmReport | undefined;
  readonly ending: Ending | undefined;
  readonly figures: Figures | undefined;
  readonly error: ErrorBody | undefined;
  readonly sockets: VmSockets | undefined;
}

/** States after which nothing of a VM is left on its host but its directory. */
export function isOver(state: VmPhase): boolean {
  return state === 'ended' || state === 'failed';
}

export async function listVms(db: Db): Promise<VmRecord[]> {
  const rows = await db.selectFrom('vms').selectAll().orderBy('name').execute();
  return rows.map(toRecord);
}

export async function findVm(db: Db, name: string): Promise<VmRecord | undefined> {
  const row = await db.selectFrom('vms').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

export async function findVmByUid(db: Db, uid: string): Promise<VmRecord | undefined> {
  const row = await db.selectFrom('vms').selectAll().where('uid', '=', uid).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

/** All VMs placed on a host, those that are over included: their directories are still there. */
export async function vmsOfHost(db: Db, host: string): Promise<VmRecord[]> {
  const rows = await db.selectFrom('vms').selectAll().where('host', '=', host).orderBy('created_at').execute();
  return rows.map(toRecord);
}

export async function vmNamesOfImage(db: Db, image: string): Promise<string[]> {
  const rows = await db.selectFrom('vms').select('name').where('image', '=', image).orderBy('name').execute();
  return rows.map((row) => row.name);
}

/** Bytes that VMs keep pinned, by host. */
export async function pinnedByHost(db: Db): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('vms')
    .select((e) => ['host', e.fn.sum<number>('pinned_bytes').as('bytes')])
    .where('state', 'not in', ['ended', 'failed'])
    .groupBy('host')
    .execute();
  return new Map(rows.map((row) => [row.host, row.bytes]));
}

/** Stores a VM that shall run. False where the name is taken. */
export async function insertVm(db: Db, vm: NewVm): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('vms')
    .values({
      name: vm.name,
      uid: vm.uid,
      image: vm.image,
      boot: JSON.stringify(vm.boot),
      boot_set: vm.bootSet,
      type: vm.type,
      memory_bytes: vm.memoryBytes,
      pinned_bytes: vm.pinnedBytes,
      allow: JSON.stringify(vm.allow),
      decision: JSON.stringify(vm.decision),
      probation: text(vm.probation),
      host: vm.host,
      execution: vm.execution,
      confidential: vm.confidential ? 1 : 0,
      desired: 'running',
      created_at: vm.createdAt,
      state: 'scheduled',
      report: null,
      ending: null,
      figures: null,
      error: null,
      sockets: null,
    })
    .onConflict((c) => c.column('name').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

export async function setDesired(db: Db, uid: string, desired: DesiredState): Promise<void> {
  await db.updateTable('vms').set({ desired }).where('uid', '=', uid).execute();
}

/** Takes its host's word on a VM. What a status leaves out stays as it was told last. */
export async function storeStatus(db: Db, status: VmStatus): Promise<void> {
  await db
    .updateTable('vms')
    .set({
      state: status.state,
      ...(status.report === undefined ? {} : { report: text(status.report) }),
      ...(status.ending === undefined ? {} : { ending: text(status.ending) }),
      ...(status.figures === undefined ? {} : { figures: text(status.figures) }),
      ...(status.error === undefined ? {} : { error: text(status.error) }),
      ...(status.sockets === undefined ? {} : { sockets: text(status.sockets) }),
    })
    .where('uid', '=', status.uid)
    .execute();
}

export async function deleteVm(db: Db, uid: string): Promise<void> {
  await db.deleteFrom('vms').where('uid', '=', uid).execute();
}

function toRecord(row: Selectable<VmsTable>): VmRecord {
  return {
    name: row.name,
    uid: row.uid,
    image: row.image,
    boot: JSON.parse(row.boot) as ImageBoot,
    bootSet: row.boot_set,
    type: row.type as VmTypeId,
    memoryBytes: row.memory_bytes,
    pinnedBytes: row.pinned_bytes,
    allow: JSON.parse(row.allow) as Execution[],
    decision: JSON.parse(row.decision) as DecisionMessage,
    probation: parsed(row.probation) as NewVm['probation'],
    host: row.host,
    execution: row.execution as Execution,
    confidential: row.confidential === 1,
    createdAt: row.created_at,
    desired: row.desired as DesiredState,
    state: row.state as VmPhase,
    report: parsed(row.report) as VmReport | undefined,
    ending: parsed(row.ending) as Ending | undefined,
    figures: parsed(row.figures) as Figures | undefined,
    error: parsed(row.error) as ErrorBody | undefined,
    sockets: parsed(row.sockets) as VmSockets | undefined,
  };
}
