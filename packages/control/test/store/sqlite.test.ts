import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../src/store/sqlite/open-sqlite.ts';
import { storeConformance } from './conformance.ts';

storeConformance('SQLite', { skip: false }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-store-'));
  return {
    open: () => openSqlite(join(dir, 'unpin.sqlite')),
    drop: async () => rmSync(dir, { recursive: true, force: true }),
  };
});
