/** XFS filesystems that mkfs.xfs made hold what was put in, and nothing else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { Budget } from '../../src/source/budget.ts';
import { windowOf } from '../../src/source/window.ts';
import { scratchFolder } from '../scratch.ts';
import { diskTool, needsDiskTools } from '../tools.ts';
import { content } from './content.ts';
import { imageSource } from './image-source.ts';
import { readTree } from './read-tree.ts';
import { xfsImage } from './xfs-image.ts';
import { expectedOf, manyNames, sorted, TREE } from './xfs-tree.ts';

const scratch = scratchFolder();
const UUID = '11111111-2222-3333-4444-555566667777';

function budget(): Budget {
  return new Budget(2 ** 32, 10 ** 7);
}

describe('a filesystem', needsDiskTools(), () => {
  const options = [
    '',
    '-b size=1024 -i size=512',
    '-b size=1024 -n size=8192 -m rmapbt=1,reflink=1',
    '-i size=2048,nrext64=1 -s size=4096 -n size=65536',
    '-b size=65536',
    '-m finobt=0,inobtcount=0,bigtime=0,reflink=0 -i sparse=0',
    '-d agcount=3',
    '-m crc=0 -b size=512 -i size=256',
    '-m crc=0 -n ftype=0',
    '-m crc=0 -n ftype=1',
  ];
  for (const [index, option] of options.entries())
    test(`of mkfs.xfs ${option}`, async () => {
      const words = option.split(' ').filter((word) => word !== '');
      const bytes = option.includes('65536') ? 1200 * 2 ** 20 : undefined;
      const uuid = option.includes('-m ') ? [] : ['-m', `uuid=${UUID}`];
      const path = xfsImage(scratch, `options-${index}`, TREE, [...words, ...uuid, '-L', 'boot'], bytes);
      const filesystem = await openXfs(imageSource(path), budget());
      assert.equal(filesystem.kind, 'XFS');
      assert.equal(filesystem.label, 'boot');
      if (uuid.length > 0) assert.equal(filesystem.uuid, UUID);
      assert.match(filesystem.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
      assert.deepEqual(filesystem.notes, []);
      assert.equal(filesystem.ignoresCase, false);
      assert.deepEqual(sorted(await readTree(filesystem)), sorted(expectedOf(TREE)));
      for (const [folder, entries] of Object.entries(TREE)) {
        const node = await filesystem.find(filesystem.root, folder);
        assert.ok(node, folder);
        if (typeof entries === 'string' || entries instanceof Uint8Array) continue;
        for (const name of Object.keys(entries)) assert.ok(await filesystem.find(node, name), `${folder}/${name}`);
        for (const name of ['none', '.', '..', '', 'an-entry-with-number-', 'AN-ENTRY-WITH-NUMBER-1'])
          assert.equal(await filesystem.find(node, name), undefined);
      }
    });

  for (const [index, option] of ['-b size=4096', '-b size=1024', '-m crc=0 -b size=512'].entries())
    test(`of a directory of 10,000 names, mkfs.xfs ${option}`, async () => {
      const names = manyNames(10_000);
      const path = xfsImage(scratch, `many-${index}`, { many: names }, option.split(' '));
      const source = imageSource(path);
      const filesystem = await openXfs(source, budget());
      const folder = await filesystem.find(filesystem.root, 'many');
      assert.ok(folder);
      const entries = await filesystem.list(folder);
      assert.deepEqual(
        entries.map((entry) => entry.name),
        Object.keys(names),
      );
      assert.equal(new Set(entries.map((entry) => entry.node.id)).size, 10_000);
      source.reads.length = 0;
      for (const { name, node } of entries.filter((_, index) => index % 37 === 0))
        assert.deepEqual(await filesystem.find(folder, name), node);
      assert.equal(await filesystem.find(folder, 'an-entry-with-number-10000'), undefined);
      // By the index: a scan would read some hundred blocks for each.
      assert.ok(source.reads.length < (10_000 / 37) * 12, `${source.reads.length} reads`);
    });

  test('with names of any case', async () => {
    const tree = { 'Boot-Loader': { 'GRUB.cfg': Buffer.from('g') }, many: manyNames(1000) };
    const path = xfsImage(scratch, 'caseless', tree, ['-n', 'version=ci']);
    const filesystem = await openXfs(imageSource(path), budget());
    assert.equal(filesystem.ignoresCase, true);
    const folder = await filesystem.find(filesystem.root, 'bOOT-lOADER');
    assert.ok(folder && (await filesystem.find(folder, 'grub.CFG')));
    const many = await filesystem.find(filesystem.root, 'MANY');
    assert.ok(many && (await filesystem.find(many, 'An-Entry-With-Number-999')));
  });

  test('whose UUID was changed afterwards has the new one, and its blocks the old', async () => {
    const path = xfsImage(scratch, 'new-uuid', TREE);
    diskTool('xfs_db', ['-x', '-c', `uuid ${UUID}`, path]);
    const filesystem = await openXfs(imageSource(path), budget());
    assert.equal(filesystem.uuid, UUID);
    assert.deepEqual(sorted(await readTree(filesystem)), sorted(expectedOf(TREE)));
  });

  test('is read in part where its end is missing, and says so', async () => {
    const path = xfsImage(scratch, 'cut', { small: Buffer.from('s') });
    const source = imageSource(path);
    const filesystem = await openXfs(windowOf(source, 'half', 0, 150 * 2 ** 20), budget());
    assert.match(filesystem.notes.join(), /parts of it are missing/);
    assert.deepEqual((await readTree(filesystem)).get('/small'), Buffer.from('s'));
  });

  test('reads little for one file', async () => {
    const kernel = content(3_000_000, 5);
    const path = xfsImage(scratch, 'little', { boot: { vmlinuz: kernel }, many: manyNames(2000) });
    const source = imageSource(path);
    const filesystem = await openXfs(source, budget());
    const folder = await filesystem.find(filesystem.root, 'boot');
    const node = folder && (await filesystem.find(folder, 'vmlinuz'));
    assert.ok(node);
    const file = await filesystem.open(node);
    const bytes = source.reads.reduce((sum, read) => sum + read.length, 0);
    assert.ok(bytes < 16_384, `${bytes} bytes`);
    assert.deepEqual(Buffer.from(await file.read(1_000_001, 7)), kernel.subarray(1_000_001, 1_000_008));
    await assert.rejects(file.read(kernel.length - 1, 2), { name: 'FormatError', kind: 'truncated' });
  });
});
