/** What the control kernels are found to be: each has one thing left out or broken. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspectKernelFile } from '../src/index.ts';
import { cacheFolder } from '../test/assets.ts';
import { CONTROL_KERNELS } from '../test/image-set/control-kernels.ts';

describe('the control kernel', () => {
  for (const { name, statements } of CONTROL_KERNELS) {
    const path = join(cacheFolder(), 'control-kernels', name, 'bzImage');
    const skip = !existsSync(path) && `not built on this machine: node scripts/control-kernels/build.ts ${name}`;
    test(`${name} gets its verdict`, { skip }, () => {
      const { verdict, problem } = inspectKernelFile(path);
      assert.equal(problem, undefined);
      const found = Object.entries(verdict.statements).map(([id, { answer, level }]) => [id, `${answer} ${level}`]);
      assert.deepEqual(Object.fromEntries(found), statements);
    });
  }
});
