import type { Change } from '@unpin/contract';
import type { Db } from './store.ts';

/** Any host may take this up. */
export const ANY_HOST = '*';

export interface NewChange {
  readonly at: number;
  readonly kind: Change['kind'];
  readonly name: string;
  readonly action: Change['action'];
  /** The host that this is work for, or ANY_HOST. */
  readonly workFor?: string;
}

/** Changes that are kept; who asks for older ones reads everything again. */
const KEPT = 10_000;
const CUT_EVERY = 1000;

export async function appendChange(db: Db, change: NewChange): Promise<void> {
  const { revision } = await db
    .insertInto('changes')
    .values({
      at: change.at,
      kind: change.kind,
      name: change.name,
      action: change.action,
      work_for: change.workFor ?? null,
    })
    .returning('revision')
    .executeTakeFirstOrThrow();
  if (revision % CUT_EVERY === 0)
    await db
      .deleteFrom('changes')
      .where('revision', '<=', revision - KEPT)
      .execute();
}

/** The newest revision, 0 in an empty log. */
export async function headRevision(db: Db): Promise<number> {
  const row = await db.selectFrom('changes').select('revision').orderBy('revision', 'desc').limit(1).executeTakeFirst();
  return row?.revision ?? 0;
}

/** Whether there is new work for a host after a revision. */
export async function hasWorkSince(db: Db, host: string, since: number): Promise<boolean> {
  const row = await db
    .selectFrom('changes')
    .select('revision')
    .where('revision', '>', since)
    .where('work_for', 'in', [host, ANY_HOST])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export interface ChangesSince {
  readonly revision: number;
  /** The log does not reach back that far, or the asker comes from another database's future. */
  readonly resync: boolean;
  readonly changes: Change[];
}

export async function changesSince(db: Db, since: number): Promise<ChangesSince> {
  const revision = await headRevision(db);
  const oldest = await db.selectFrom('changes').select('revision').orderBy('revision').limit(1).executeTakeFirst();
  if (since > revision || (oldest !== undefined && since + 1 < oldest.revision))
    return { revision, resync: true, changes: [] };
  const rows = await db.selectFrom('changes').selectAll().where('revision', '>', since).orderBy('revision').execute();
  return { revision, resync: false, changes: rows.map(toChange) };
}

function toChange(row: { revision: number; at: number; kind: string; name: string; action: string }): Change {
  return {
    revision: row.revision,
    at: new Date(row.at).toISOString(),
    kind: row.kind as Change['kind'],
    name: row.name,
    action: row.action as Change['action'],
  };
}
