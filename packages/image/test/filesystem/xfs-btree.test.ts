/** Files with more extents than fit an inode, with holes and blocks that were never written. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { readSuperblock, type Superblock } from '../../src/filesystem/xfs/superblock.ts';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { content } from './content.ts';
import { type ImageSource, imageSource, patched } from './image-source.ts';
import { btreePatches, placeOf, placesOf, type Run } from './xfs-btree-image.ts';
import { xfsImage } from './xfs-image.ts';
import { resealed } from './xfs-reseal.ts';
import { manyNames } from './xfs-tree.ts';

const scratch = scratchFolder();
/** Of the file whose blocks are dealt out anew. */
const BLOCKS = 2000;
const BLOCK = 1024;

function budget(): Budget {
  return new Budget(2 ** 32, 10 ** 7);
}

describe('a file with its extents in a B+tree', needsDiskTools(), () => {
  let image: ImageSource;
  let superblock: Superblock;
  let inode: number;
  /** Address of the file's first block; the others follow. */
  let first: number;
  /** Address of blocks for the tree. */
  let room: number;
  const whole = content(BLOCKS * BLOCK, 9);

  before(async () => {
    image = imageSource(xfsImage(scratch, 'image', { file: whole, folder: manyNames(15) }, ['-b', `size=${BLOCK}`]));
    superblock = readSuperblock(await image.read(0, 512));
    const filesystem = await openXfs(image, budget());
    inode = (await filesystem.find(filesystem.root, 'file'))?.id ?? 0;
    ({ first, room } = await placesOf(image, inode));
  });

  async function fileOf(runs: readonly Run[], size: number, fanout: number): Promise<[ByteSource, number]> {
    const { patches, level } = await btreePatches(image, { inode, size, runs, fanout, room });
    const filesystem = await openXfs(patched(image, patches), budget());
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    assert.equal(node.size, size);
    return [await filesystem.open(node), level];
  }

  /** What a file of these runs holds. */
  function model(runs: readonly Run[], size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (const { at, count, address, unwritten } of runs) {
      if (unwritten || at * BLOCK >= size) continue;
      const from = (address - first) * BLOCK;
      bytes.set(whole.subarray(from, from + Math.min(count * BLOCK, size - at * BLOCK)), at * BLOCK);
    }
    return bytes;
  }

  /** Each block an extent of its own: they lie in the other direction. */
  const reversed = (): Run[] =>
    Array.from({ length: BLOCKS }, (_, at) => ({ at, count: 1, address: first + BLOCKS - 1 - at, unwritten: false }));

  for (const [fanout, levels] of [
    [59, 2],
    [20, 2],
    [4, 5],
    [3, 6],
  ] as const)
    test(`of ${levels} levels, ${fanout} children each`, async () => {
      const [file, level] = await fileOf(reversed(), BLOCKS * BLOCK - 5, fanout);
      assert.equal(level, levels);
      assert.deepEqual(Buffer.from(await file.read(0, file.size)), model(reversed(), BLOCKS * BLOCK - 5));
    });

  test('is read where it is asked for, and only there', async () => {
    const { patches } = await btreePatches(image, {
      inode,
      size: 2_000_000,
      runs: reversed(),
      fanout: 20,
      room,
    });
    const source = patched(image, patches);
    const filesystem = await openXfs(source, budget());
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    const file = await filesystem.open(node);
    source.reads.length = 0;
    assert.deepEqual(
      Buffer.from(await file.read(1_000_000, 2)),
      model(reversed(), 2_000_000).subarray(1_000_000, 1_000_002),
    );
    assert.equal(source.reads.length, 3);
  });

  test('with holes, blocks never written, and an end anywhere', async () => {
    const run = fc.record({ gap: fc.nat(3), count: fc.integer({ min: 1, max: 5 }), unwritten: fc.boolean() });
    const file = fc.record({
      parts: fc.array(run, { minLength: 1, maxLength: 120, size: 'max' }),
      fanout: fc.integer({ min: 2, max: 59 }),
      tail: fc.integer({ min: -3000, max: 3000 }),
      reads: fc.array(fc.tuple(fc.nat(), fc.nat(9000)), { minLength: 1, maxLength: 5 }),
      stride: fc.constantFrom(1, 7, 11, 1999),
    });
    await fc.assert(
      fc.asyncProperty(file, async ({ parts, fanout, tail, reads, stride }) => {
        const runs: Run[] = [];
        let at = 0;
        for (const [index, { gap, count, unwritten }] of parts.entries()) {
          at += gap;
          runs.push({ at, count, address: first + ((index * 5 * stride) % (BLOCKS - 5)), unwritten });
          at += count;
        }
        const size = Math.max(1, at * BLOCK + tail);
        const wanted = model(runs, size);
        const [source] = await fileOf(runs, size, fanout);
        assert.deepEqual(Buffer.from(await source.read(0, size)), wanted);
        for (const [from, length] of reads) {
          const offset = from % size;
          const upTo = Math.min(size, offset + length);
          assert.deepEqual(Buffer.from(await source.read(offset, upTo - offset)), wanted.subarray(offset, upTo));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('far behind 4 GiB', async () => {
    const far = 2 ** 33;
    const runs = [
      { at: 0, count: 1, address: first + 3, unwritten: false },
      { at: far, count: 2, address: first + 7, unwritten: false },
    ];
    const [file] = await fileOf(runs, (far + 3) * BLOCK, 20);
    const wanted = Buffer.concat([Buffer.alloc(BLOCK), whole.subarray(7 * BLOCK, 9 * BLOCK), Buffer.alloc(BLOCK)]);
    assert.deepEqual(Buffer.from(await file.read((far - 1) * BLOCK, 4 * BLOCK)), wanted);
  });

  /** The tree's patches with one block changed and sealed. */
  async function damagedAt(level: number, change: (bytes: Buffer) => void): Promise<ByteSource> {
    const size = BLOCKS * BLOCK;
    const { patches } = await btreePatches(image, { inode, size, runs: reversed(), fanout: 20, room });
    const source = patched(image, patches);
    const block = patches.find(
      (patch) => patch.bytes[0] === 0x42 && Buffer.from(patch.bytes).readUInt16BE(4) === level,
    );
    assert.ok(block);
    const filesystem = await openXfs(patched(source, [await resealed(source, block.offset, BLOCK, change)]), budget());
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    return filesystem.open(node);
  }

  const most = Math.floor((BLOCK - 72) / 16);
  const damages: readonly [string, number, (bytes: Buffer) => void][] = [
    ['of another inode', 0, (bytes) => bytes.writeUInt32BE(77, 60)],
    ['of another place', 0, (bytes) => bytes.writeUInt32BE(77, 28)],
    ['of another filesystem', 0, (bytes) => bytes.writeUInt32BE(77, 40)],
    ['of another level', 0, (bytes) => bytes.writeUInt16BE(1, 4)],
    ['without extents', 0, (bytes) => bytes.writeUInt16BE(0, 6)],
    ['with more extents than fit', 0, (bytes) => bytes.writeUInt16BE(most + 1, 6)],
    ['with extents in disorder', 0, (bytes) => bytes.copy(bytes, 72, 88, 104)],
    ['with an extent outside', 0, (bytes) => bytes.writeUInt32BE(0x1fffffff, 72 + 8)],
    ['with an extent of nothing', 0, (bytes) => bytes.writeUInt32BE(bytes.readUInt32BE(84) & ~0x1fffff, 84)],
    ['with more children than fit', 1, (bytes) => bytes.writeUInt16BE(most + 1, 6)],
    ['with keys in disorder', 1, (bytes) => bytes.copy(bytes, 72, 80, 88)],
    ['with a child twice', 1, (bytes) => bytes.copy(bytes, 72 + most * 8, 80 + most * 8, 88 + most * 8)],
    // It comes behind the leaves, of which there are 100.
    ['with itself for a child', 1, (bytes) => bytes.writeUInt32BE(room + 100, 76 + most * 8)],
    ['with a child outside', 1, (bytes) => bytes.writeUInt32BE(2 ** 31, 76 + most * 8)],
  ];
  for (const [name, level, change] of damages)
    test(`ends at a block of level ${level} ${name}`, async () => {
      await assert.rejects(async () => (await damagedAt(level, change)).read(0, BLOCKS * BLOCK), {
        name: 'FormatError',
        kind: 'malformed',
      });
    });

  test('ends at a block whose checksum is wrong', async () => {
    const { patches } = await btreePatches(image, { inode, size: 5000, runs: reversed(), fanout: 20, room });
    const [leaf] = patches;
    assert.ok(leaf);
    const bytes = Buffer.from(leaf.bytes);
    bytes.writeUInt8(1, BLOCK - 1);
    const filesystem = await openXfs(patched(image, [...patches, { offset: leaf.offset, bytes }]), budget());
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    await assert.rejects((await filesystem.open(node)).read(0, 1), /checksum/);
  });

  test('as a directory whose one block is mapped everywhere ends within a budget', async () => {
    const filesystem = await openXfs(image, budget());
    const folder = await filesystem.find(filesystem.root, 'folder');
    assert.ok(folder);
    const { first: block } = await placesOf(image, folder.id);
    // A block of a directory is not smaller than 4096 bytes.
    const count = superblock.directoryBlockSize / BLOCK;
    const runs = Array.from({ length: 2000 }, (_, at) => ({ at: at * count, count, address: block, unwritten: false }));
    const layout = { inode: folder.id, size: runs.length * count * BLOCK, runs, fanout: 59, room };
    const source = patched(image, (await btreePatches(image, layout)).patches);
    const steps = 10_000;
    const hostile = await openXfs(source, new Budget(2 ** 40, steps));
    await assert.rejects(
      hostile.list(hostile.root).then(() => hostile.list(folder)),
      {
        name: 'FormatError',
        kind: 'over-budget',
      },
    );
    assert.ok(source.reads.length <= 2 * steps);
  });

  test('in the realtime section is not read', async () => {
    const place = placeOf(superblock, Math.floor(inode / 2)) + (inode % 2) * 512;
    const flagged = await resealed(image, place, 512, (bytes) => bytes.writeUInt16BE(1, 90));
    const filesystem = await openXfs(patched(image, [flagged]), budget());
    const node = await filesystem.find(filesystem.root, 'file');
    assert.ok(node);
    await assert.rejects(filesystem.open(node), { kind: 'unsupported', message: /realtime/ });
  });
});
