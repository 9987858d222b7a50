import type { AuditRecord } from '@unpin/contract';
import type { Selectable } from 'kysely';
import type { AuditTable } from './schema.ts';
import type { Db } from './store.ts';

export interface NewAuditRecord {
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: AuditRecord['outcome'];
  readonly detail?: unknown;
}

/** Written in the transaction that it tells of: what happened is recorded, what did not is not. */
export async function appendAudit(db: Db, record: NewAuditRecord): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      at: record.at,
      actor: record.actor,
      action: record.action,
      subject: record.subject,
      outcome: record.outcome,
      detail: record.detail === undefined ? null : JSON.stringify(record.detail),
    })
    .execute();
}

/** Records after a sequence number, oldest first. */
export async function listAudit(db: Db, since: number, limit: number): Promise<AuditRecord[]> {
  const rows = await db.selectFrom('audit').selectAll().where('seq', '>', since).orderBy('seq').limit(limit).execute();
  return rows.map(toRecord);
}

function toRecord({ detail, at, outcome, ...rest }: Selectable<AuditTable>): AuditRecord {
  return {
    ...rest,
    at: new Date(at).toISOString(),
    outcome: outcome as AuditRecord['outcome'],
    ...(detail === null ? {} : { detail: JSON.parse(detail) as unknown }),
  };
}
