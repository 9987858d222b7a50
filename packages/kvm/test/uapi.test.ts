import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { askCompiler, goldenPath } from './uapi-check/compile.ts';
import { findCompiler } from './uapi-check/compiler.ts';
import { describe as describeGroup, GROUPS } from './uapi-check/groups.ts';

const compiler = findCompiler();

describe('the user API as a table', () => {
  for (const group of GROUPS) {
    test(`${group.name}: every size, offset and value is the golden one`, () => {
      const golden: unknown = JSON.parse(readFileSync(goldenPath(group), 'utf8'));
      assert.deepEqual(describeGroup(group), golden);
    });

    test(`${group.name}: the golden file is what the C compiler says`, (t) => {
      if (typeof compiler === 'string') return t.skip(compiler);
      t.diagnostic(`gcc of ${compiler.from}`);
      const golden: unknown = JSON.parse(readFileSync(goldenPath(group), 'utf8'));
      assert.deepEqual(askCompiler(compiler, group), golden);
    });
  }
});
