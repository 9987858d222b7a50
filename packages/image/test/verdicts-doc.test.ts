/** docs/verdicts.md names every statement and every signal that the code can find. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FIRMWARE_STATEMENTS, STATEMENTS } from '@unpin/policy';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/verdicts.md'), 'utf8');

describe('docs/verdicts.md', () => {
  test('has a chapter for each statement, and a row for each of firmware', () => {
    for (const { id } of STATEMENTS) assert.ok(page.includes(`\n## ${id}\n`), id);
    for (const { id } of FIRMWARE_STATEMENTS) assert.ok(page.includes(`\n| \`${id}\` |`), id);
  });

  test('names each signal', () => {
    const sources = globSync('packages/image/src/{signals,firmware,verdict}/*.ts', { cwd: root });
    assert.ok(sources.length > 30);
    const signals = sources.flatMap((source) => signalsIn(readFileSync(join(root, source), 'utf8')));
    assert.ok(new Set(signals).size > 20, `${new Set(signals).size} signals`);
    for (const signal of new Set(signals)) assert.ok(page.includes(`\`${signal}\``), signal);
  });
});

/** The names that stand where evidence is made. */
function signalsIn(source: string): string[] {
  const made =
    /(?:signal: |Evidence\((?:input, )?|findInstruction\(input, |rawCode\(image, |evidenceAt\(|wordEvidence\()'([a-z0-9-]+)'/g;
  return [...source.matchAll(made)].map(([, name]) => name ?? '');
}
