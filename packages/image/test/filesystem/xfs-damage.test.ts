/**
 * Whatever bytes the metadata of an XFS has, reading all of it ends in files or typed errors, within a budget; and where
 * checksums don't fit, in nothing but what was put in.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Filesystem } from '../../src/filesystem/filesystem.ts';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { FormatError } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import { budgetedSource } from '../../src/source/budgeted-source.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { content } from './content.ts';
import { damagedReads, damages, type Structures } from './damage.ts';
import { type ImageSource, imageSource, patched, type Read } from './image-source.ts';
import { type Found, readTree } from './read-tree.ts';
import { btreePatches, placesOf } from './xfs-btree-image.ts';
import { xfsImage } from './xfs-image.ts';
import { seal } from './xfs-reseal.ts';
import { linkPatches } from './xfs-symlink-image.ts';
import { expectedOf, manyNames } from './xfs-tree.ts';

const scratch = scratchFolder();
const BLOCK = 1024;
const SMALL = Buffer.from('small\n');
const TARGET = '/abcdefghi'.repeat(60);
const STEPS = 30_000;
const RUNS = 100;
/** Reads of structures, and of those that are looked at in bulk, are whole sectors; files here have odd sizes. */
const SECTOR = 512;

const tree = {
  short: { a: SMALL, link: 'a' },
  block: manyNames(6, SMALL),
  leaf: manyNames(40, SMALL),
  node: manyNames(150),
  scattered: content(60 * BLOCK - 1, 4),
  long: TARGET,
};

async function readAll(image: ImageSource): Promise<Found | FormatError> {
  const budget = new Budget(2 ** 26, STEPS);
  try {
    const filesystem = await openXfs(budgetedSource(image, budget), budget);
    const found = await readTree(filesystem);
    await lookUp(filesystem);
    return found;
  } catch (error) {
    // Anything else is a defect, and fails with its own stack.
    if (!(error instanceof FormatError)) throw error;
    return error;
  }
}

/** Names by the indexes, which listing doesn't read. */
async function lookUp(filesystem: Filesystem): Promise<void> {
  for (const name of ['leaf', 'node']) {
    const folder = await filesystem.find(filesystem.root, name);
    for (const number of [0, 20, 39]) {
      const node = folder && (await filesystem.find(folder, `an-entry-with-number-${number}`));
      assert.ok(node === undefined || Number.isSafeInteger(node.id));
    }
  }
}

/** The image with a file's blocks, one extent each, below a tree of two levels, and a link's block as Linux has it. */
async function withTree(image: ImageSource): Promise<ImageSource> {
  const filesystem = await openXfs(image, new Budget(2 ** 26, STEPS));
  const file = await filesystem.find(filesystem.root, 'scattered');
  const link = await filesystem.find(filesystem.root, 'long');
  assert.ok(file && link);
  const { first, room } = await placesOf(image, file.id);
  const runs = Array.from({ length: 60 }, (_, at) => ({ at, count: 1, address: first + at, unwritten: false }));
  const { patches } = await btreePatches(image, { inode: file.id, size: file.size, runs, fanout: 5, room });
  return patched(image, [...patches, ...(await linkPatches(image, link.id, TARGET, 1))]);
}

/** All structures that are read of an image, by their magics. */
async function metadataOf(source: ImageSource): Promise<Structures> {
  const traced = patched(source, []);
  await readAll(traced);
  const kinds = new Map<string, Map<number, Read>>();
  for (const read of traced.reads) {
    if (read.length % SECTOR !== 0) continue;
    const bytes = Buffer.from(await source.read(read.offset, 10));
    // Of inodes, the type of file is one; index blocks have their magic further behind.
    const magic = bytes.toString('latin1', 0, bytes.readUInt32BE(0) < 2 ** 24 ? 10 : 3);
    const kind = kinds.get(magic) ?? new Map<number, Read>();
    kinds.set(magic, kind.set(read.offset, read));
  }
  return Array.from(kinds.values(), (kind) => [...kind.values()]);
}

describe('damaged metadata', needsDiskTools(), () => {
  let image: ImageSource;
  let plain: ImageSource;
  before(async () => {
    image = await withTree(imageSource(xfsImage(scratch, 'image', tree, ['-b', `size=${BLOCK}`])));
    plain = imageSource(xfsImage(scratch, 'plain', tree, ['-m', 'crc=0', '-b', `size=${BLOCK}`]));
    for (const whole of [image, plain]) assert.deepEqual(await readAll(whole), expectedOf(tree));
  });

  test('whose checksums do not fit shows nothing but what was put in, or typed errors', async () => {
    const structures = await metadataOf(image);
    const wanted = expectedOf(tree);
    await fc.assert(
      fc.asyncProperty(damages(), async (damage) => {
        const patches = await damagedReads(image, structures, damage, (bytes) => bytes);
        const found = await readAll(patched(image, patches));
        if (found instanceof FormatError) return;
        // A damaged inode shows as what its directory says, and its content as an error.
        for (const [path, value] of found)
          if (!(value instanceof FormatError)) assert.deepEqual(value, wanted.get(path), path);
      }),
      { numRuns: RUNS },
    );
  });

  for (const version of [5, 4])
    test(`of version ${version} with right checksums ends in files or typed errors`, async () => {
      const source = version === 5 ? image : plain;
      const structures = await metadataOf(source);
      await fc.assert(
        fc.asyncProperty(damages(), async (damage) => {
          const damagedImage = patched(source, await damagedReads(source, structures, damage, (bytes) => seal(bytes)));
          await readAll(damagedImage);
          assert.ok(damagedImage.reads.length <= 2 * STEPS, `${damagedImage.reads.length} reads`);
        }),
        { numRuns: RUNS },
      );
    });
});
