/** The image set's full products: every format with every kind of table and layout, and with every kernel. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needsAsset } from '../test/assets.ts';
import { EXPECTED_KERNELS } from '../test/image-set/expected.ts';
import { FORMATS } from '../test/image-set/formats.ts';
import { inspectAs, statementsIn } from '../test/image-set/in-format.ts';
import { kernel, missingKernels } from '../test/image-set/kernels.ts';
import { EVERY_LAYOUT } from '../test/image-set/layouts.ts';
import { needsDiskTools } from '../test/tools.ts';

const TABLES = ['gpt', 'mbr', 'none'] as const;
const KERNELS = ['6.12', '5.10'] as const;

const missing = missingKernels(KERNELS);
const skip = needsDiskTools().skip || (missing.length > 0 && `not fetched: ${missing.join(', ')}`);

describe('every layout in every format', { skip }, () => {
  for (const [name, layout] of Object.entries(EVERY_LAYOUT))
    for (const table of TABLES) {
      const disk = skip === false ? layout(table, KERNELS.map(kernel)) : undefined;
      // A disk without a table is one filesystem.
      if (disk === undefined || (table === 'none' && disk.parts.length > 1)) continue;
      for (const format of FORMATS)
        test(`${name}, ${table}, ${format}`, async () => {
          const { verdict, entries } = await inspectAs(format, disk);
          assert.deepEqual(verdict.obstacles, []);
          assert.equal(verdict.statements['reports-conversions'].answer, 'yes');
          assert.equal(entries.filter(({ counts }) => counts).length, 1);
        });
    }
});

describe('every kernel in every format', { skip }, () => {
  for (const { id, statements } of EXPECTED_KERNELS)
    for (const format of FORMATS)
      test(`${id} in ${format}`, needsAsset(id), async () => {
        assert.deepEqual(await statementsIn(format, id), statements);
      });
});
