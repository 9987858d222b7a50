/** The image set's full product: each format with each kind of table with each layout that it can hold. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { inspectConfined } from '../src/confined/index.ts';
import { makeImage } from '../test/image-set/build.ts';
import { FORMATS } from '../test/image-set/formats.ts';
import { kernel, missingKernels } from '../test/image-set/kernels.ts';
import { EVERY_LAYOUT } from '../test/image-set/layouts.ts';
import { needsDiskTools } from '../test/tools.ts';

const TABLES = ['gpt', 'mbr', 'none'] as const;
const KERNELS = ['6.12', '5.10'] as const;

const missing = missingKernels(KERNELS);
const skip = needsDiskTools().skip || (missing.length > 0 && `not fetched: ${missing.join(', ')}`);

describe('the full product of images', { skip }, () => {
  for (const [name, layout] of Object.entries(EVERY_LAYOUT))
    for (const table of TABLES) {
      const disk = skip === false ? layout(table, KERNELS.map(kernel)) : undefined;
      // A disk without a table is one filesystem.
      if (disk === undefined || (table === 'none' && disk.parts.length > 1)) continue;
      for (const format of FORMATS)
        test(`${name}, ${table}, ${format}`, async () => {
          const folder = mkdtempSync(join(tmpdir(), 'unpin-product-'));
          try {
            const image = makeImage({ format, disk }, folder);
            const backing = format === 'qcow2-backing' ? ['middle.qcow2', 'base.raw'] : [];
            const named = backing.map((file) => join(dirname(image), file));
            const { verdict, entries } = await inspectConfined({ image, backing: named });
            assert.deepEqual(verdict.obstacles, []);
            assert.equal(verdict.statements['reports-conversions'].answer, 'yes');
            assert.equal(entries.filter(({ counts }) => counts).length, 1);
          } finally {
            rmSync(folder, { recursive: true, force: true });
          }
        });
    }
});
