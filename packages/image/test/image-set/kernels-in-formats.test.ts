/** Every kernel of the set gets its verdict from within a disk image too: each in one format here, in all by soak. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needsAsset } from '../assets.ts';
import { needsDiskTools } from '../tools.ts';
import { EXPECTED_KERNELS } from './expected.ts';
import { FORMATS, type Format } from './formats.ts';
import { statementsIn } from './in-format.ts';

describe('a kernel within an image', needsDiskTools(), () => {
  for (const [index, { id, statements }] of EXPECTED_KERNELS.entries()) {
    const format: Format = FORMATS[index % FORMATS.length] ?? 'raw';
    test(`${id} in ${format}`, needsAsset(id), async () => {
      assert.deepEqual(await statementsIn(format, id), statements);
    });
  }
});
