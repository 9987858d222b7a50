import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** What packages/image/build.mjs exports. */
interface Build {
  readonly TARGET: string;
  readonly generate: () => Promise<string>;
}

const root = join(import.meta.dirname, '../../..');
const compiler = existsSync(join(root, 'node_modules/assemblyscript'));
const skip = !compiler && 'the compiler is not installed: npm ci';

test('the compiled decoders are those of their source: else node packages/image/build.mjs', { skip }, async () => {
  const { TARGET, generate } = (await import(join(root, 'packages/image/build.mjs'))) as Build;
  assert.equal(readFileSync(TARGET, 'utf8'), await generate());
});
