/** What mke2fs and debugfs write, read back byte by byte. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { openExt } from '../../src/filesystem/ext/ext-filesystem.ts';
import type { Filesystem } from '../../src/filesystem/filesystem.ts';
import { walk } from '../../src/filesystem/path.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { scratchFolder } from '../scratch.ts';
import { diskTool, findTool, needsDiskTools, needsTool } from '../tools.ts';
import { assertSame, makeTree, noise, writeSparse } from './host-tree.ts';

const folder = scratchFolder();
const tree = join(folder, 'tree');
const image = join(folder, 'image');
const MIB = 2 ** 20;

function budget(): Budget {
  return new Budget(2 ** 30, 1e7);
}

/** An image with the files of a folder. */
function make(args: readonly string[], from?: string, size = 64 * MIB): void {
  writeFileSync(image, '');
  truncateSync(image, size);
  diskTool('mke2fs', ['-q', '-F', '-E', 'root_owner=0:0', ...args, ...(from === undefined ? [] : ['-d', from]), image]);
}

function debugfs(...commands: readonly string[]): void {
  const script = join(folder, 'commands');
  writeFileSync(script, `${commands.join('\n')}\n`);
  diskTool('debugfs', ['-w', '-f', script, image]);
}

function answer(command: string): string {
  return diskTool('debugfs', ['-R', command, image]).toString();
}

/** Where the image has an inode. Its blocks are of 1 KiB. */
function inodeAt(path: string): number {
  const place = /located at block (\d+), offset 0x([0-9a-f]+)/.exec(answer(`imap ${path}`));
  assert.ok(place);
  return Number(place[1]) * 1024 + Number.parseInt(place[2] ?? '', 16);
}

function open(): Promise<Filesystem> {
  return openExt(openFileSource(image), budget());
}

async function contentOf(filesystem: Filesystem, path: string): Promise<Buffer> {
  const node = await walk(filesystem, path);
  assert.ok(node, path);
  return Buffer.from(await (await filesystem.open(node)).read(0, node.size));
}

/** Counts what is read of a source. */
function counting(source: ByteSource): ByteSource & { bytes: number; reads: number } {
  const counter = {
    ...source,
    bytes: 0,
    reads: 0,
    read: (offset: number, length: number) => {
      counter.bytes += length;
      counter.reads++;
      return source.read(offset, length);
    },
  };
  return counter;
}

before(() => {
  mkdirSync(tree);
  makeTree(tree);
});

/** Groups whose descriptors fill several blocks, and so few inodes in each that the files are in all of them. */
const MANY_GROUPS = ['-g', '1024', '-N', '1024'];

function longName(number: number): string {
  return `name of file ${number} ${'.'.repeat(200)}`;
}

describe('every file is read as it was put in', () => {
  const variants: readonly (readonly [string, ...string[]])[] = [
    ['ext2', '-t', 'ext2'],
    ['ext2', '-t', 'ext2', '-b', '1024', '-O', '^filetype'],
    ['ext2', '-t', 'ext2', '-r', '0', '-b', '4096'],
    ['ext2', '-t', 'ext2', '-b', '65536'],
    ['ext3', '-t', 'ext3', '-b', '1024'],
    ['ext3', '-t', 'ext3', '-b', '4096'],
    ['ext4', '-t', 'ext4'],
    ['ext4', '-t', 'ext4', '-b', '1024'],
    ['ext4', '-t', 'ext4', '-b', '2048'],
    ['ext4', '-t', 'ext4', '-b', '4096', '-O', '64bit'],
    ['ext4', '-t', 'ext4', '-b', '4096', '-O', '^64bit'],
    ['ext4', '-t', 'ext4', '-b', '65536'],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'inline_data'],
    ['ext4', '-t', 'ext4', '-b', '4096', '-O', 'inline_data', '-I', '1024'],
    ['ext4', '-t', 'ext4', '-O', '^extent,^64bit'],
    ['ext4', '-t', 'ext4', '-O', '^metadata_csum,uninit_bg'],
    ['ext4', '-t', 'ext4', '-O', '^metadata_csum,^uninit_bg'],
    ['ext4', '-t', 'ext4', '-O', '^metadata_csum,uninit_bg,^64bit'],
    ['ext4', '-t', 'ext4', '-O', 'metadata_csum_seed,large_dir,ea_inode,encrypt'],
    ['ext4', '-t', 'ext4', '-O', 'casefold', '-E', 'encoding=utf8'],
    ['ext4', '-t', 'ext4', '-O', 'bigalloc', '-C', '65536'],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'bigalloc'],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode', ...MANY_GROUPS],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode,^sparse_super', ...MANY_GROUPS],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode,sparse_super2,^flex_bg', ...MANY_GROUPS],
    ['ext4', '-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode,bigalloc'],
    ['ext4', '-t', 'ext4', '-I', '128', '-O', '^64bit'],
    ['ext4', '-t', 'ext4', '-O', 'mmp,quota,project'],
    ['ext4', '-t', 'ext4', '-b', '1024', '-g', '1024', '-N', '16000'],
  ];
  for (const [kind, ...args] of variants)
    test(args.join(' '), needsDiskTools(), async () => {
      make(['-U', '01234567-89ab-cdef-0123-456789abcdef', '-L', 'the label', ...args], tree);
      const filesystem = await open();
      assert.equal(filesystem.kind, kind);
      if (!args.includes('-r')) {
        assert.equal(filesystem.uuid, '01234567-89ab-cdef-0123-456789abcdef');
        assert.equal(filesystem.label, 'the label');
      }
      if (!args.includes('casefold')) assert.deepEqual(filesystem.notes, []);
      await assertSame(filesystem, tree);
    });
});

describe('sparse files', () => {
  const sparse = join(folder, 'sparse');
  before(() => {
    mkdirSync(sparse);
    // Extents of a page each, hundreds of them: more than fit an inode, and with blocks of 1 KiB than fit a node.
    writeSparse(
      join(sparse, 'striped'),
      8 * MIB,
      Array.from({ length: 1000 }, (_, index) => index * 8192),
    );
    writeSparse(join(sparse, 'far'), 80 * MIB, [0, 5 * MIB, 79 * MIB]);
    writeSparse(join(sparse, 'nothing'), 10 * MIB, []);
  });

  for (const args of [
    ['-t', 'ext4'],
    ['-t', 'ext4', '-b', '1024'],
    ['-t', 'ext2', '-b', '1024'],
    ['-t', 'ext2', '-b', '4096'],
  ])
    test(args.join(' '), needsDiskTools(), async () => {
      make(args, sparse);
      await assertSame(await open(), sparse);
    });

  test('what was reserved and never written is zeroes', needsDiskTools(), async () => {
    make(['-t', 'ext4', '-b', '4096'], sparse);
    debugfs('fallocate far 10 200', 'fallocate nothing 0 3');
    await assertSame(await open(), sparse);
  });

  test('zeroes are charged to the budget', needsDiskTools(), async () => {
    make(['-t', 'ext4'], sparse);
    const filesystem = await openExt(openFileSource(image), new Budget(70 * MIB, 1e6));
    await assert.rejects(contentOf(filesystem, 'far'), { name: 'FormatError', kind: 'over-budget' });
  });

  test('any range is the same as of the whole', needsDiskTools(), async () => {
    make(['-t', 'ext4', '-b', '1024'], sparse);
    const path = join(sparse, 'striped');
    const whole = readFileSync(path);
    const filesystem = await open();
    const node = await walk(filesystem, 'striped');
    assert.ok(node);
    const source = await filesystem.open(node);
    for (const offset of [0, 1, 4095, 4096, 8191, 12_345, 4 * MIB + 77])
      for (const length of [0, 1, 1024, 4097, 100_000])
        assert.ok(whole.subarray(offset, offset + length).equals(await source.read(offset, length)));
    await assert.rejects(source.read(whole.length, 1), { name: 'FormatError', kind: 'truncated' });
  });
});

describe('a directory of as many blocks as 10,000 short names take', () => {
  const large = join(folder, 'large');
  before(() => {
    mkdirSync(join(large, 'boot'), { recursive: true });
    for (let number = 0; number < 1000; number++) symlinkSync(`${number}`, join(large, 'boot', longName(number)));
  });

  for (const indexed of [false, true])
    test(indexed ? 'with an index' : 'without an index', indexed ? needsTool('e2fsck') : needsDiskTools(), async () => {
      make(['-t', 'ext4', '-b', '1024', '-N', '3000'], large);
      if (indexed) {
        const { status } = spawnSync(findTool('e2fsck')?.program ?? '', ['-f', '-y', '-D', image], { timeout: 60_000 });
        // 1: errors were corrected, which is how it calls its work.
        assert.ok(status === 0 || status === 1, `e2fsck: ${status}`);
        assert.match(answer('htree_dump /boot'), /Indirect levels: 1/);
      }
      const filesystem = await open();
      await assertSame(filesystem, large);
      for (const number of [0, 499, 999])
        assert.equal((await walk(filesystem, `boot/${longName(number)}`, { followLast: false }))?.kind, 'symlink');
    });
});

describe('what stands in the way is said', () => {
  test('a journal that is not carried out', needsDiskTools(), async () => {
    make(['-t', 'ext4'], tree);
    debugfs('feature needs_recovery');
    assert.match((await open()).notes.join(), /journal holds changes/);
  });

  test('a filesystem larger than what it lies in', needsDiskTools(), async () => {
    make(['-t', 'ext2'], tree);
    const bytes = readFileSync(image);
    const filesystem = await openExt(memorySource('cut', bytes.subarray(0, 60 * MIB)), budget());
    assert.match(filesystem.notes.join(), /parts of it are missing/);
  });

  test('a filesystem that was not unmounted, one with errors', needsDiskTools(), async () => {
    make(['-t', 'ext2'], tree);
    debugfs('ssv state 2');
    assert.match((await open()).notes.join(), /not unmounted.*errors/);
  });

  test('an encrypted file, directory and link', needsDiskTools(), async () => {
    make(['-t', 'ext4', '-O', 'encrypt'], tree);
    debugfs('sif boot/vmlinuz-6.12 flags 0x80800', 'sif sizes flags 0x80800', 'sif links/60 flags 0x80800');
    const filesystem = await open();
    const encrypted = { name: 'FormatError', kind: 'encrypted' };
    await assert.rejects(contentOf(filesystem, 'boot/vmlinuz-6.12'), encrypted);
    await assert.rejects(walk(filesystem, 'sizes/1'), encrypted);
    await assert.rejects(walk(filesystem, 'links/60'), encrypted);
    assert.equal((await contentOf(filesystem, 'boot/grub/grub.cfg')).toString(), 'linux /vmlinuz root=/dev/vda1\n');
  });

  test('features that are not known, by their names', needsDiskTools(), async () => {
    make(['-t', 'ext4', '-O', '^metadata_csum'], tree);
    for (const [flags, said] of [
      [0x12c2, /dirdata/],
      [0x2c3, /compression/],
      [0x8000_02c2, /0x80000000/],
      [0xa, /journal on its own/],
    ] as const) {
      const bytes = readFileSync(image);
      bytes.writeUInt32LE(flags, 1024 + 0x60);
      await assert.rejects(openExt(memorySource('image', bytes), budget()), {
        name: 'FormatError',
        kind: 'unsupported',
        message: said,
      });
    }
  });

  test(
    'a checksum that is wrong: of the superblock, a descriptor, an inode, a directory, a node of extents',
    needsDiskTools(),
    async () => {
      make(['-t', 'ext4', '-b', '1024'], tree);
      writeSparse(
        join(folder, 'striped'),
        8 * MIB,
        Array.from({ length: 1000 }, (_, index) => index * 8192),
      );
      debugfs(`write ${join(folder, 'striped')} striped`);
      const directory = /(\d+)/.exec(answer('bmap /many 0'));
      const node = /^\s*1\/\s*\d+\s+1\/\s*\d+.*?(\d+)\s+\d+\s*$/m.exec(answer('dump_extents -n /striped'))?.[1];
      assert.ok(directory && node);
      for (const [path, at, said] of [
        ['boot', 1024 + 0x30, /superblock.*checksum/],
        ['boot', 2048 + 2, /descriptor.*checksum/],
        ['boot/vmlinuz-6.12', inodeAt('/boot/vmlinuz-6.12') + 8, /inode.*checksum/],
        ['many/file number 1', Number(directory[1]) * 1024 + 20, /directory.*checksum/],
        ['striped', Number(node) * 1024 + 14, /extent tree.*checksum/],
      ] as const) {
        const bytes = readFileSync(image);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        await assert.rejects(
          async () => contentOf(await openExt(memorySource('image', bytes), budget()), path),
          { name: 'FormatError', kind: 'malformed', message: said },
          path,
        );
      }
    },
  );
});

test('what was written into a file of pointers beyond what they reach is malformed', needsDiskTools(), async () => {
  make(['-t', 'ext2', '-b', '1024'], tree);
  debugfs('sif sizes/1 size 0x1000000000');
  const filesystem = await open();
  const node = await walk(filesystem, 'sizes/1');
  assert.ok(node);
  const source = await filesystem.open(node);
  await assert.rejects(source.read(0xf_0000_0000, 100), { name: 'FormatError', kind: 'malformed' });
});

test('checksums start from their own seed where the UUID was changed', needsDiskTools(), async () => {
  make(['-t', 'ext4', '-O', 'metadata_csum_seed'], tree);
  debugfs('ssv uuid 11111111-2222-3333-4444-555555555555');
  const filesystem = await open();
  assert.equal(filesystem.uuid, '11111111-2222-3333-4444-555555555555');
  await assertSame(filesystem, tree);
});

test('a short link may have attributes in inodes of their own', needsDiskTools(), async () => {
  make(['-t', 'ext4', '-O', 'ea_inode'], tree);
  debugfs('sif links/58 blocks 8');
  await assertSame(await open(), tree);
});

test('a short link may lie in a block of its own', needsDiskTools(), async () => {
  make(['-t', 'ext2', '-b', '1024'], tree);
  const bytes = readFileSync(image);
  const inode = inodeAt('/links/58');
  const spare = bytes.length / 1024 - 1;
  bytes.copy(bytes, spare * 1024, inode + 0x28, inode + 0x28 + 58);
  bytes.fill(0, inode + 0x28, inode + 0x28 + 60);
  bytes.writeUInt32LE(2, inode + 0x1c);
  bytes.writeUInt32LE(spare, inode + 0x28);
  await assertSame(await openExt(memorySource('image', bytes), budget()), tree);
});

test('a directory that repeats its blocks without end is not listed into memory', needsDiskTools(), async () => {
  make(['-t', 'ext2', '-b', '1024'], tree);
  const bytes = readFileSync(image);
  const inode = inodeAt('/many');
  const spare = bytes.length / 1024 - 2;
  const names = bytes.readUInt32LE(inode + 0x28 + 4);
  // A block of pointers to the same names, and one of pointers to that: 65,536 blocks.
  for (let at = 0; at < 1024; at += 4) {
    bytes.writeUInt32LE(names, spare * 1024 + at);
    bytes.writeUInt32LE(spare, (spare + 1) * 1024 + at);
  }
  bytes.writeUInt32LE(spare, inode + 0x28 + 48);
  bytes.writeUInt32LE(spare + 1, inode + 0x28 + 52);
  bytes.writeUInt32LE((12 + 256 + 65536) * 1024, inode + 4);
  const filesystem = await openExt(memorySource('image', bytes), budget());
  const many = await walk(filesystem, 'many');
  assert.ok(many);
  const overBudget = { name: 'FormatError', kind: 'over-budget' };
  await assert.rejects(filesystem.list(many), { ...overBudget, message: /more than 131072 entries/ });
  const poor = await openExt(memorySource('image', bytes), new Budget(2 ** 30, 50_000));
  await assert.rejects(walk(poor, 'many/none'), overBudget);
});

describe('what it costs', () => {
  test('a sparse 2 TB image: its metadata on the way to one kernel, and that kernel', needsDiskTools(), async () => {
    const sparse = join(folder, 'sparse-disk');
    mkdirSync(join(sparse, 'boot'), { recursive: true });
    const kernel = noise(10 * MIB);
    writeFileSync(join(sparse, 'boot/vmlinuz'), kernel);
    make(
      ['-t', 'ext4', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', '-N', '100000'],
      sparse,
      2 * 10 ** 12,
    );
    const source = counting(openFileSource(image));
    const filesystem = await openExt(source, budget());
    assert.ok((await contentOf(filesystem, '/boot/vmlinuz')).equals(kernel));
    assert.ok(source.bytes < kernel.length + 64 * 1024, `${source.bytes} bytes`);
    assert.ok(source.reads < 20, `${source.reads} reads`);
  });
});
