import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { addSequence } from './add-sequence.ts';

/** Images, VMs, hosts, the audit log and the change log. Columns: schema.ts. */
export const firstTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('images')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('boot', 'text', (c) => c.notNull())
      .addColumn('built_in', 'integer', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('generation', 'integer', (c) => c.notNull())
      .addColumn('host', 'text')
      .addColumn('verdict', 'text')
      .addColumn('error', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('judged_at', 'bigint')
      .execute();
    await db.schema
      .createTable('vms')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('uid', 'text', (c) => c.notNull().unique())
      .addColumn('image', 'text', (c) => c.notNull().references('images.name'))
      .addColumn('boot', 'text', (c) => c.notNull())
      .addColumn('boot_set', 'text', (c) => c.notNull())
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('memory_bytes', 'bigint', (c) => c.notNull())
      .addColumn('pinned_bytes', 'bigint', (c) => c.notNull())
      .addColumn('allow', 'text', (c) => c.notNull())
      .addColumn('decision', 'text', (c) => c.notNull())
      .addColumn('probation', 'text')
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('execution', 'text', (c) => c.notNull())
      .addColumn('confidential', 'integer', (c) => c.notNull())
      .addColumn('desired', 'text', (c) => c.notNull())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('report', 'text')
      .addColumn('ending', 'text')
      .addColumn('figures', 'text')
      .addColumn('error', 'text')
      .addColumn('sockets', 'text')
      .execute();
    await db.schema.createIndex('vms_by_host').on('vms').columns(['host', 'state']).execute();
    await db.schema.createIndex('vms_by_image').on('vms').column('image').execute();
    await db.schema
      .createTable('hosts')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('epoch', 'integer', (c) => c.notNull())
      .addColumn('agent', 'text', (c) => c.notNull())
      .addColumn('endpoint', 'text', (c) => c.notNull())
      .addColumn('capabilities', 'text', (c) => c.notNull())
      .addColumn('registered_at', 'bigint', (c) => c.notNull())
      .execute();
    await addSequence(db, db.schema.createTable('audit'), 'seq')
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('actor', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('outcome', 'text', (c) => c.notNull())
      .addColumn('detail', 'text')
      .execute();
    await addSequence(db, db.schema.createTable('changes'), 'revision')
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('work_for', 'text')
      .execute();
  },
};
