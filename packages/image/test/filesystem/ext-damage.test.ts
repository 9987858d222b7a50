/** Whatever bytes an ext filesystem's metadata has, reading all of it ends in files or typed errors, within a budget. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { openExt } from '../../src/filesystem/ext/ext-filesystem.ts';
import { FormatError } from '../../src/index.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { scratchFolder } from '../scratch.ts';
import { diskTool, needsDiskTools } from '../tools.ts';
import { type Found, readTree } from './read-tree.ts';

const folder = scratchFolder();
const tree = join(folder, 'tree');
const SIZE = 2 ** 21;
/** Content repeats this: a block that begins with it is no metadata. */
const CONTENT = 'content content ';

before(() => {
  mkdirSync(join(tree, 'boot/many'), { recursive: true });
  writeFileSync(join(tree, 'boot/vmlinuz'), CONTENT.repeat(3000));
  writeFileSync(join(tree, 'boot/small'), CONTENT.repeat(6));
  // Blocks of zeroes are left out: many extents.
  const stripe = Buffer.alloc(8192);
  stripe.write(CONTENT.repeat(64));
  writeFileSync(join(tree, 'striped'), Buffer.concat(Array.from({ length: 40 }, () => stripe)));
  for (let number = 0; number < 60; number++) writeFileSync(join(tree, 'boot/many', `file ${number}`), '');
  symlinkSync('boot/vmlinuz', join(tree, 'vmlinuz'));
  symlinkSync(CONTENT.repeat(20), join(tree, 'long'));
});

function make(args: readonly string[]): Buffer {
  const path = join(folder, 'image');
  writeFileSync(path, '');
  truncateSync(path, SIZE);
  diskTool('mke2fs', ['-q', '-F', '-b', '1024', '-N', '128', ...args, '-d', tree, path]);
  return readFileSync(path);
}

/** Where the metadata lies that a byte more or less should matter to: no content, no zeroes. */
function placesIn(image: Buffer): number[] {
  const places: number[] = [];
  for (let block = 1024; block < image.length; block += 1024) {
    if (image.toString('latin1', block, block + CONTENT.length) === CONTENT) continue;
    for (let at = block; at < block + 1024; at++) if (image[at] !== 0) places.push(at);
  }
  return places;
}

async function readAll(image: Uint8Array): Promise<Found | undefined> {
  try {
    const budget = new Budget(2 ** 26, 200_000);
    return await readTree(await openExt(memorySource('image', image), budget));
  } catch (error) {
    // Anything else is a defect, and fails with its own stack.
    if (!(error instanceof FormatError)) throw error;
    return undefined;
  }
}

function damaged(image: Buffer, places: readonly number[]): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.constantFrom(...places), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)));
  return fc.array(edit, { minLength: 1, maxLength: 8 }).map((edits) => {
    const bytes = Buffer.from(image);
    for (const [at, value] of edits) bytes[at] = value;
    return bytes;
  });
}

describe('damaged metadata', () => {
  for (const args of [
    ['-t', 'ext2'],
    ['-t', 'ext2', '-r', '0'],
    ['-t', 'ext4', '-O', '^metadata_csum,^has_journal'],
    ['-t', 'ext4', '-O', '^metadata_csum,^has_journal,inline_data'],
    ['-t', 'ext4', '-O', '^metadata_csum,^has_journal,meta_bg,^resize_inode,bigalloc'],
  ])
    test(`of ${args.join(' ')} ends in files or typed errors`, needsDiskTools(), async () => {
      const image = make(args);
      assert.equal((await readAll(image))?.size, 68);
      await fc.assert(
        fc.asyncProperty(damaged(image, placesIn(image)), async (bytes) => {
          await readAll(bytes);
        }),
        { numRuns: 300 },
      );
    });

  for (const args of [
    ['-t', 'ext4', '-O', 'metadata_csum,^has_journal'],
    ['-t', 'ext4', '-O', 'metadata_csum,^has_journal,inline_data'],
  ])
    test(`of ${args.join(' ')} ends in the right files or typed errors`, needsDiskTools(), async () => {
      const image = make(args);
      const right = await readAll(image);
      assert.equal(right?.size, 68);
      let errors = 0;
      await fc.assert(
        fc.asyncProperty(damaged(image, placesIn(image)), async (bytes) => {
          const found = await readAll(bytes);
          if (found === undefined) errors++;
          for (const [path, content] of found ?? [])
            if (content instanceof FormatError) errors++;
            else assert.deepEqual(content, right.get(path), path);
        }),
        { numRuns: 300 },
      );
      assert.ok(errors > 100, `${errors} errors`);
    });

  test('cut off anywhere ends in files or typed errors', needsDiskTools(), async () => {
    const image = make(['-t', 'ext4']);
    await fc.assert(
      fc.asyncProperty(fc.nat(SIZE), async (size) => {
        await readAll(image.subarray(0, size));
      }),
      { numRuns: 100 },
    );
  });
});
