/** Targets of symbolic links are read from inodes and from blocks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Filesystem } from '../../src/filesystem/filesystem.ts';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { type ImageSource, imageSource, patched } from './image-source.ts';
import { xfsImage } from './xfs-image.ts';
import { linkPatches } from './xfs-symlink-image.ts';

const scratch = scratchFolder();

function target(length: number): string {
  return '/abcdefghi'.repeat(110).slice(0, length);
}

async function open(image: ByteSource): Promise<Filesystem> {
  return openXfs(image, new Budget(2 ** 30, 10_000));
}

async function linkOf(image: ByteSource): Promise<string> {
  const filesystem = await open(image);
  const link = await filesystem.find(filesystem.root, 'link');
  assert.ok(link);
  assert.equal(link.kind, 'symlink');
  const text = await filesystem.readLink(link);
  assert.equal(link.size, text.length);
  return text;
}

describe('a symbolic link', needsDiskTools(), () => {
  for (const length of [1, 30, 336])
    test(`of ${length} bytes lies in its inode`, async () => {
      const image = imageSource(xfsImage(scratch, 'short', { link: target(length) }));
      assert.equal(await linkOf(image), target(length));
    });

  test('of 1023 bytes lies in a block, of version 4 without a header', async () => {
    const image = imageSource(xfsImage(scratch, 'plain', { link: target(1023) }, ['-m', 'crc=0', '-b', 'size=512']));
    assert.equal(await linkOf(image), target(1023));
  });

  for (const [length, blockSize, blocks] of [
    [337, 4096, 1],
    [1023, 4096, 1],
    [900, 1024, 1],
    [1023, 1024, 2],
  ] as const)
    test(`of ${length} bytes lies in ${blocks} of ${blockSize} bytes`, async () => {
      const image = imageSource(xfsImage(scratch, 'long', { link: target(length) }, ['-b', `size=${blockSize}`]));
      const inode = await inodeOf(image);
      assert.equal(
        await linkOf(patched(image, await linkPatches(image, inode, target(length), blocks))),
        target(length),
      );
    });

  test('whose block is no such block is malformed', async () => {
    const image = imageSource(xfsImage(scratch, 'bare', { link: target(500) }));
    await assert.rejects(linkOf(image), { name: 'FormatError', kind: 'malformed', message: /no magic/ });
    const inode = await inodeOf(image);
    const [block, grown] = await linkPatches(image, inode, target(500), 1);
    assert.ok(block && grown);
    const spoilt = Buffer.from(block.bytes);
    spoilt.writeUInt8(0, 100);
    const source = patched(image, [{ offset: block.offset, bytes: spoilt }, grown]);
    await assert.rejects(linkOf(source), { name: 'FormatError', kind: 'malformed', message: /checksum/ });
  });

  test('is not a directory, nor a file', async () => {
    const image = imageSource(xfsImage(scratch, 'kinds', { link: 'a', file: Buffer.from('f') }));
    const filesystem = await open(image);
    const link = await filesystem.find(filesystem.root, 'link');
    const file = await filesystem.find(filesystem.root, 'file');
    assert.ok(link && file);
    for (const wrong of [
      filesystem.list(link),
      filesystem.find(file, 'a'),
      filesystem.open(link),
      filesystem.open(filesystem.root),
      filesystem.readLink(file),
    ])
      await assert.rejects(wrong, { name: 'FormatError', kind: 'malformed' });
  });
});

async function inodeOf(image: ImageSource): Promise<number> {
  const filesystem = await open(image);
  const link = await filesystem.find(filesystem.root, 'link');
  assert.ok(link);
  return link.id;
}
