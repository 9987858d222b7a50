import type { ErrorBody, ImageBoot, ImageState, VerdictMessage } from '@unpin/contract';
import type { Selectable } from 'kysely';
import { parsed, text } from './json.ts';
import type { ImagesTable } from './schema.ts';
import type { Db } from './store.ts';

export interface ImageRecord {
  readonly name: string;
  readonly boot: ImageBoot;
  readonly builtIn: boolean;
  readonly state: ImageState;
  readonly generation: number;
  readonly host: string | undefined;
  readonly verdict: VerdictMessage | undefined;
  readonly error: ErrorBody | undefined;
  /** Milliseconds since 1970, as all times of records. */
  readonly createdAt: number;
  readonly judgedAt: number | undefined;
}

export interface NewImage {
  readonly name: string;
  readonly boot: ImageBoot;
  readonly builtIn: boolean;
  readonly host: string | undefined;
  readonly createdAt: number;
}

export async function listImages(db: Db): Promise<ImageRecord[]> {
  const rows = await db.selectFrom('images').selectAll().orderBy('name').execute();
  return rows.map(toRecord);
}

export async function findImage(db: Db, name: string): Promise<ImageRecord | undefined> {
  const row = await db.selectFrom('images').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

/** Adds an image that waits for its first inspection. False where the name is taken. */
export async function insertImage(db: Db, image: NewImage): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('images')
    .values({
      name: image.name,
      boot: JSON.stringify(image.boot),
      built_in: image.builtIn ? 1 : 0,
      state: 'inspecting',
      generation: 1,
      host: image.host ?? null,
      verdict: null,
      error: null,
      created_at: image.createdAt,
      judged_at: null,
    })
    .onConflict((c) => c.column('name').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Images that a host may inspect now. */
export async function imagesToInspect(db: Db, host: string): Promise<ImageRecord[]> {
  const rows = await db
    .selectFrom('images')
    .selectAll()
    .where('state', '=', 'inspecting')
    .where((e) => e.or([e('host', 'is', null), e('host', '=', host)]))
    .orderBy('created_at')
    .execute();
  return rows.map(toRecord);
}

export interface Judgement {
  readonly host: string;
  readonly generation: number;
  readonly at: number;
  readonly verdict: VerdictMessage | undefined;
  readonly error: ErrorBody | undefined;
}

/** Stores an inspection's result. False where the image no longer waits for this one. */
export async function judgeImage(db: Db, name: string, judgement: Judgement): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('images')
    .set({
      state: judgement.verdict === undefined ? 'failed' : 'ready',
      host: judgement.host,
      verdict: text(judgement.verdict),
      error: text(judgement.error),
      judged_at: judgement.at,
    })
    .where('name', '=', name)
    .where('state', '=', 'inspecting')
    .where('generation', '=', judgement.generation)
    .where((e) => e.or([e('host', 'is', null), e('host', '=', judgement.host)]))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Asks for a new inspection of all built-in images, by any host. Answers their names. */
export async function reinspectBuiltIns(db: Db): Promise<string[]> {
  const rows = await db
    .updateTable('images')
    .set((e) => ({ state: 'inspecting', host: null, generation: e('generation', '+', 1) }))
    .where('built_in', '=', 1)
    .returning('name')
    .execute();
  return rows.map((row) => row.name);
}

export async function deleteImage(db: Db, name: string): Promise<void> {
  await db.deleteFrom('images').where('name', '=', name).execute();
}

function toRecord(row: Selectable<ImagesTable>): ImageRecord {
  return {
    name: row.name,
    boot: JSON.parse(row.boot) as ImageBoot,
    builtIn: row.built_in === 1,
    state: row.state as ImageState,
    generation: row.generation,
    host: row.host ?? undefined,
    verdict: parsed(row.verdict) as VerdictMessage | undefined,
    error: parsed(row.error) as ErrorBody | undefined,
    createdAt: row.created_at,
    judgedAt: row.judged_at ?? undefined,
  };
}
