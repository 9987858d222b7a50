import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const lock = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');

test('package-lock.json carries no download address', () => {
  assert.doesNotMatch(lock, /"resolved": "https?:/);
});

test('package-lock.json lists every platform package that a dependency names, so that npm ci takes it anywhere', () => {
  const packages = (JSON.parse(lock) as { packages: Record<string, { optionalDependencies?: Record<string, string> }> })
    .packages;
  const missing = Object.values(packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}).filter((name) => packages[`node_modules/${name}`] === undefined),
  );
  assert.deepEqual(missing, [], 'run: npm run relock');
});
