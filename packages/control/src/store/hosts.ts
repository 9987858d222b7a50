import { type AgentFacts, type Capabilities, type Endpoint, type Registration, UnpinError } from '@unpin/contract';
import type { Selectable } from 'kysely';
import type { HostsTable } from './schema.ts';
import type { Db } from './store.ts';

export interface HostRecord {
  readonly name: string;
  readonly epoch: number;
  readonly agent: AgentFacts;
  readonly endpoint: Endpoint;
  readonly capabilities: Capabilities;
  readonly registeredAt: number;
}

export async function listHosts(db: Db): Promise<HostRecord[]> {
  const rows = await db.selectFrom('hosts').selectAll().orderBy('name').execute();
  return rows.map(toRecord);
}

export async function findHost(db: Db, name: string): Promise<HostRecord | undefined> {
  const row = await db.selectFrom('hosts').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

/** The host as the holder of an epoch knows it: NOT_FOUND before its registration, CONFLICT after a newer one. */
export async function fencedHost(db: Db, name: string, epoch: number): Promise<HostRecord> {
  const host = await findHost(db, name);
  if (host === undefined)
    throw new UnpinError('NOT_FOUND', { subject: `host ${name}`, needed: 'a registration of its agent' });
  if (host.epoch !== epoch)
    throw new UnpinError('CONFLICT', {
      subject: `host ${name}`,
      found: `an agent of epoch ${epoch}`,
      needed: `epoch ${host.epoch}: another agent has taken this host over`,
    });
  return host;
}

/** Gives a host to an agent; answers the epoch that fences all earlier ones. */
export async function registerHost(db: Db, name: string, registration: Registration, at: number): Promise<number> {
  const columns = {
    agent: JSON.stringify(registration.agent),
    endpoint: JSON.stringify(registration.endpoint),
    capabilities: JSON.stringify(registration.capabilities),
    registered_at: at,
  };
  const { epoch } = await db
    .insertInto('hosts')
    .values({ name, epoch: 1, ...columns })
    .onConflict((c) => c.column('name').doUpdateSet((e) => ({ ...columns, epoch: e('hosts.epoch', '+', 1) })))
    .returning('epoch')
    .executeTakeFirstOrThrow();
  return epoch;
}

function toRecord(row: Selectable<HostsTable>): HostRecord {
  return {
    name: row.name,
    epoch: row.epoch,
    agent: JSON.parse(row.agent) as AgentFacts,
    endpoint: JSON.parse(row.endpoint) as Endpoint,
    capabilities: JSON.parse(row.capabilities) as Capabilities,
    registeredAt: row.registered_at,
  };
}
