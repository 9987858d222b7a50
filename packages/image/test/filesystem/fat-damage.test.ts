/** Whatever bytes a FAT volume has, reading all of it ends in files or typed errors, within a budget. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { openFat } from '../../src/filesystem/fat/fat-filesystem.ts';
import { FormatError } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import { budgetedSource } from '../../src/source/budgeted-source.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { content } from './content.ts';
import { damagedReads, damages } from './damage.ts';
import { fatImage } from './fat-image.ts';
import { type ImageSource, imageSource, patched, type Read } from './image-source.ts';
import { type Found, readTree } from './read-tree.ts';

const scratch = scratchFolder();
const MIB = 2 ** 20;
const STEPS = 100_000;
const RUNS = 150;

async function readAll(image: ImageSource): Promise<Found | FormatError> {
  const budget = new Budget(2 ** 26, STEPS);
  try {
    return await readTree(await openFat(budgetedSource(image, budget), budget));
  } catch (error) {
    // Anything else is a defect, and fails with its own stack.
    if (!(error instanceof FormatError)) throw error;
    return error;
  }
}

/** A volume with folders in folders, long names, and files of several clusters. */
function filled(name: string, bytes: number, options: readonly string[]): ImageSource {
  const image = fatImage(scratch, name, bytes, options);
  for (const folder of ['/EFI', '/EFI/BOOT', '/loader', '/loader/entries']) image.mkdir(folder);
  image.put('/EFI/BOOT/BOOTX64.EFI', content(9000, 1));
  image.putAll(
    '/loader/entries',
    new Map(Array.from({ length: 12 }, (_, at) => [`an entry ${at}.conf`, content(700, at)])),
  );
  return imageSource(image.path);
}

describe('a damaged volume', needsDiskTools(), () => {
  for (const [bits, bytes, perCluster] of [
    ['12', 2 * MIB, '2'],
    ['16', 4 * MIB, '1'],
    ['32', 40 * MIB, '1'],
  ] as const)
    test(`of FAT${bits} ends in files or typed errors`, async () => {
      const image = filled(`fat-${bits}`, bytes, ['-F', bits, '-s', perCluster]);
      const traced = patched(image, []);
      const whole = await readAll(traced);
      assert.ok(!(whole instanceof FormatError) && whole.size === 17, 'it is whole at first');
      // The boot sector, FATs and directories, each of them once.
      const structures = distinct(traced.reads)
        .filter((read) => read.length % 32 === 0)
        .map((read) => [read]);
      await fc.assert(
        fc.asyncProperty(damages(), async (damage) => {
          const damagedImage = patched(image, await damagedReads(image, structures, damage, (bytes) => bytes));
          await readAll(damagedImage);
          assert.ok(damagedImage.reads.length <= 2 * STEPS, `${damagedImage.reads.length} reads`);
        }),
        { numRuns: RUNS },
      );
    });

  test('whose chain comes back to itself ends in a cycle', async () => {
    const image = fatImage(scratch, 'cycle', 40 * MIB, ['-F', '32', '-s', '1']);
    image.put('/file', content(5000, 1));
    const source = imageSource(image.path);
    const filesystem = await openFat(source, new Budget(2 ** 26, STEPS));
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    const [first, fat] = await chainOf(source, node.id);
    for (const [at, to] of [
      [first, first],
      [first + 3, first],
      [first + 4, first + 2],
    ] as const) {
      const entry = Buffer.alloc(4);
      entry.writeUInt32LE(to);
      const size = Buffer.alloc(4);
      size.writeUInt32LE(2 ** 31);
      const patches = [
        { offset: fat + at * 4, bytes: entry },
        { offset: node.id * 32 + 28, bytes: size },
      ];
      const damagedVolume = await openFat(patched(source, patches), new Budget(2 ** 26, STEPS));
      const file = await damagedVolume.find(damagedVolume.root, 'file');
      assert.ok(file);
      await assert.rejects((await damagedVolume.open(file)).read(2 ** 20, 1), { name: 'FormatError', kind: 'cycle' });
    }
  });

  test('whose chain ends early, or leads to a free or unknown cluster, ends there', async () => {
    const image = fatImage(scratch, 'short', 40 * MIB, ['-F', '32', '-s', '1']);
    image.put('/file', content(5000, 1));
    const source = imageSource(image.path);
    const filesystem = await openFat(source, new Budget(2 ** 26, STEPS));
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    const [first, fat] = await chainOf(source, node.id);
    for (const [next, kind] of [
      [0x0fffffff, 'truncated'],
      [0x0ffffff8, 'truncated'],
      [0x0ffffff7, 'malformed'],
      [0, 'malformed'],
      [1, 'malformed'],
      [0x0f000000, 'malformed'],
    ] as const) {
      const entry = Buffer.alloc(4);
      entry.writeUInt32LE(next);
      const changed = patched(source, [{ offset: fat + (first + 4) * 4, bytes: entry }]);
      const volume = await openFat(changed, new Budget(2 ** 26, STEPS));
      const file = await volume.find(volume.root, 'file');
      assert.ok(file);
      const opened = await volume.open(file);
      assert.deepEqual(Buffer.from(await opened.read(0, 2560)), content(5000, 1).subarray(0, 2560));
      await assert.rejects(opened.read(2560, 1), { name: 'FormatError', kind });
      // What is wrong stays wrong, and what is right stays right.
      await assert.rejects(opened.read(0, 5000), { name: 'FormatError', kind });
      assert.deepEqual(Buffer.from(await opened.read(100, 10)), content(5000, 1).subarray(100, 110));
    }
  });
});

/** The first cluster of a file by its entry, and where the first FAT lies. */
async function chainOf(source: ImageSource, id: number): Promise<readonly [number, number]> {
  const entry = Buffer.from(await source.read(id * 32, 32));
  const boot = Buffer.from(await source.read(0, 512));
  return [entry.readUInt16LE(20) * 65536 + entry.readUInt16LE(26), boot.readUInt16LE(14) * boot.readUInt16LE(11)];
}

function distinct(reads: readonly Read[]): Read[] {
  return [...new Map(reads.map((read) => [`${read.offset} ${read.length}`, read])).values()];
}
