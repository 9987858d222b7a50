import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAGES } from '../docs.ts';

for (const page of PAGES)
  test(`${page.file} says what the code says`, () => {
    const written = readFileSync(join(import.meta.dirname, '../..', page.file), 'utf8');
    assert.equal(written.trimEnd(), page.make().trimEnd(), 'run: node scripts/docs.ts');
  });
