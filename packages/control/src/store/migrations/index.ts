import type { Migration } from 'kysely/migration';
import { firstTables } from './0001-first-tables.ts';

/** In order, forward only. A migration that has been released is never changed: add the next. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first-tables': firstTables,
};
