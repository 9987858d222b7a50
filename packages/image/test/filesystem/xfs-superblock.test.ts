/** What a superblock says is checked before it is believed. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { type ImageSource, imageSource, patched } from './image-source.ts';
import { readTree } from './read-tree.ts';
import { xfsImage } from './xfs-image.ts';
import { resealed } from './xfs-reseal.ts';
import { expectedOf, sorted, TREE } from './xfs-tree.ts';

const scratch = scratchFolder();

function budget(): Budget {
  return new Budget(2 ** 32, 10 ** 7);
}

describe('a superblock', needsDiskTools(), () => {
  let image: ImageSource;
  before(() => {
    image = imageSource(xfsImage(scratch, 'image', TREE));
  });

  const fields: readonly [string, string, RegExp, (bytes: Buffer) => void][] = [
    [
      'with a feature from the future',
      'unsupported',
      /bit 11, bit 31/,
      (bytes) => bytes.writeUInt32BE(0x80000801, 216),
    ],
    ['of version 3', 'unsupported', /version 3/, (bytes) => bytes.writeUInt16BE(0xb4a3, 100)],
    ['whose mkfs did not finish', 'malformed', /did not finish/, (bytes) => bytes.writeUInt8(1, 126)],
    ['with blocks of another size than its own', 'malformed', /block size/, (bytes) => bytes.writeUInt32BE(8192, 4)],
    ['with inodes larger than they can be', 'malformed', /inode size/, (bytes) => bytes.writeUInt8(13, 122)],
    ['with huge directory blocks', 'malformed', /directory blocks/, (bytes) => bytes.writeUInt8(9, 192)],
    ['without groups', 'malformed', /0 groups/, (bytes) => bytes.writeUInt32BE(0, 88)],
    ['with more blocks than groups', 'malformed', /in all/, (bytes) => bytes.writeUInt32BE(1, 8)],
    ['with a size above 2^53', 'malformed', /no size/, (bytes) => bytes.writeUInt32BE(2 ** 24, 8)],
    ['with a root that is nowhere', 'malformed', /no such place/, (bytes) => bytes.writeUInt32BE(2 ** 10, 56)],
  ];
  for (const [name, kind, message, change] of fields)
    test(`${name} is refused`, async () => {
      const changed = patched(image, [await resealed(image, 0, 512, change)]);
      await assert.rejects(openXfs(changed, budget()), { name: 'FormatError', kind, message });
    });

  test('marked for repair is noted', async () => {
    const repair = await resealed(image, 0, 512, (bytes) => (bytes[219] = (bytes[219] ?? 0) | 0x10));
    assert.match((await openXfs(patched(image, [repair]), budget())).notes.join(), /xfs_repair/);
  });

  test('with features of newer kernels that change nothing here is read', async () => {
    // Exchange-range, parent pointers, metadata directory, zoned.
    const newer = await resealed(image, 0, 512, (bytes) => bytes.writeUInt32BE(bytes.readUInt32BE(216) | 0x3c0, 216));
    const filesystem = await openXfs(patched(image, [newer]), budget());
    assert.deepEqual(sorted(await readTree(filesystem)), sorted(expectedOf(TREE)));
  });

  test('that is none is told', async () => {
    await assert.rejects(openXfs(memorySource('v', Buffer.alloc(512)), budget()), { kind: 'malformed' });
    await assert.rejects(openXfs(memorySource('v', Buffer.alloc(100)), budget()), { name: 'FormatError' });
  });
});
