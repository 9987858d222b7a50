/** FAT volumes that mkfs.vfat and mtools made hold what was put in, and nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readBootSector } from '../../src/filesystem/fat/boot-sector.ts';
import { openFat } from '../../src/filesystem/fat/fat-filesystem.ts';
import type { Filesystem } from '../../src/filesystem/filesystem.ts';
import { FormatError } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { windowOf } from '../../src/source/window.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { content } from './content.ts';
import { type FatImage, fatImage } from './fat-image.ts';
import { imageSource, patched } from './image-source.ts';
import { readTree } from './read-tree.ts';

const scratch = scratchFolder();
const MIB = 2 ** 20;
const KINDS = [
  { kind: 'FAT12', bytes: 4 * MIB, options: ['-F', '12', '-s', '4'] },
  { kind: 'FAT12', bytes: 12 * MIB, options: ['-F', '12', '-r', '32', '-s', '8'] },
  { kind: 'FAT16', bytes: 32 * MIB, options: ['-F', '16', '-s', '1', '-S', '512'] },
  { kind: 'FAT16', bytes: 64 * MIB, options: ['-F', '16', '-S', '4096', '-s', '1'] },
  { kind: 'FAT32', bytes: 64 * MIB, options: ['-F', '32', '-s', '1'] },
] as const;

function budget(): Budget {
  return new Budget(2 ** 32, 10 ** 7);
}

function openImage(image: FatImage): Promise<Filesystem> {
  return openFat(imageSource(image.path), budget());
}

/** Of a volume where files have `used`. FAT32's root directory has some more: two, with so many short names. */
function freeClusters(image: FatImage, used: number): number {
  const { lastCluster, kind } = readBootSector(readFileSync(image.path).subarray(0, 512));
  return lastCluster - 1 - used - (kind === 'FAT32' ? 3 : 0);
}

function filler(index: number): Buffer {
  return content(3 * 512, index);
}

describe('a volume', needsDiskTools(), () => {
  for (const [index, { kind, bytes, options }] of KINDS.entries())
    test(`${kind} of ${bytes / MIB} MiB, mkfs.vfat ${options.join(' ')}`, async () => {
      const image = fatImage(scratch, `kind-${index}`, bytes, [...options, '-n', 'ESP LABEL', '-i', 'abcd1234']);
      const files = new Map<string, Buffer>([
        ['/EMPTY', Buffer.alloc(0)],
        ['/small.txt', Buffer.from('hello\n')],
        ['/vmlinuz-6.12.48+deb13-amd64', content(1_500_000, 1)],
        ['/EFI/Boot/BOOTX64.EFI', content(70_000, 2)],
        ['/EFI/a directory with a long name/and a file.conf', content(513, 3)],
        ['/EFI/ünïcödé — 漢字.conf', Buffer.from('x')],
        [`/${'long'.repeat(60)}.name`, content(4096, 4)],
      ]);
      for (const folder of ['/EFI', '/EFI/Boot', '/EFI/a directory with a long name']) image.mkdir(folder);
      for (const [path, bytes] of files) image.put(path, bytes);

      const filesystem = await openImage(image);
      assert.equal(filesystem.kind, kind);
      assert.equal(filesystem.uuid, 'ABCD-1234');
      assert.equal(filesystem.label, 'ESP LABEL');
      assert.deepEqual(filesystem.notes, []);
      const found = await readTree(filesystem);
      for (const folder of ['/EFI', '/EFI/Boot', '/EFI/a directory with a long name'])
        assert.equal(found.get(folder), 'directory');
      for (const [path, bytes] of files) assert.deepEqual(found.get(path), bytes, path);
      assert.equal(found.size, files.size + 3);
    });

  test('of a directory of many clusters, with every name found in any case', async () => {
    const image = fatImage(scratch, 'many', 64 * MIB, ['-F', '32', '-s', '1']);
    image.mkdir('/loader');
    const names = Array.from({ length: 150 }, (_, index) => `An entry with number ${index}.conf`);
    image.putAll('/loader', new Map(names.map((name) => [name, Buffer.from(name)])));

    const filesystem = await openImage(image);
    const folder = await filesystem.find(filesystem.root, 'LOADER');
    assert.ok(folder);
    const entries = await filesystem.list(folder);
    assert.deepEqual(
      entries.map((entry) => entry.name),
      names,
    );
    assert.equal(new Set(entries.map((entry) => entry.node.id)).size, names.length);
    for (const { name, node } of entries)
      for (const spelling of [name, name.toUpperCase(), name.toLowerCase()])
        assert.deepEqual(await filesystem.find(folder, spelling), node);
    assert.equal(await filesystem.find(folder, 'An entry with number 150.conf'), undefined);
    assert.equal(await filesystem.find(folder, '..'), undefined);
  });

  test('finds a file by its short name too', async () => {
    const image = fatImage(scratch, 'short', 4 * MIB, ['-s', '4']);
    image.put('/grub configuration.cfg', Buffer.from('c'));
    const filesystem = await openImage(image);
    const long = await filesystem.find(filesystem.root, 'GRUB configuration.CFG');
    assert.ok(long);
    assert.deepEqual(await filesystem.find(filesystem.root, 'grubco~1.cfg'), long);
  });

  test('shows lower-case short names as they were written', async () => {
    const image = fatImage(scratch, 'case', 4 * MIB, ['-s', '4']);
    const names = ['lower.cfg', 'UPPER.CFG', 'low.CFG', 'UPP.cfg', 'noext', 'NOEXT2', '.dot'];
    image.putAll('/', new Map(names.map((name) => [name, Buffer.from(name)])));
    const filesystem = await openImage(image);
    assert.deepEqual(
      (await filesystem.list(filesystem.root)).map((entry) => entry.name),
      names,
    );
  });

  test('is FAT32 with fewer clusters than the specification asks for, as ESPs are made and firmware reads them', async () => {
    const image = fatImage(scratch, 'small-32', 64 * MIB, ['-F', '32', '-s', '1']);
    image.put('/kernel', content(5000, 6));
    const small = patched(imageSource(image.path), [{ offset: 32, bytes: Uint8Array.of(0, 0xa0, 0, 0) }]);
    const filesystem = await openFat(small, budget());
    assert.equal(filesystem.kind, 'FAT32');
    assert.deepEqual((await readTree(filesystem)).get('/kernel'), content(5000, 6));
  });

  test('that was not unmounted, or is cut off, says so', async () => {
    const image = fatImage(scratch, 'dirty', 64 * MIB, ['-F', '32', '-s', '1']);
    image.put('/a', Buffer.from('a'));
    const source = imageSource(image.path);
    const linux = await openFat(patched(source, [{ offset: 65, bytes: Uint8Array.of(1) }]), budget());
    assert.match(linux.notes.join(), /not unmounted in order/);
    const { fatStart } = readBootSector(await source.read(0, 512));
    const windows = await openFat(patched(source, [{ offset: fatStart + 7, bytes: Uint8Array.of(0x07) }]), budget());
    assert.match(windows.notes.join(), /not unmounted in order/);
    const half = await openFat(windowOf(source, 'half', 0, 32 * MIB), budget());
    assert.match(half.notes.join(), /parts of it are missing/);
  });

  test('with one FAT in use that is not the first reads that one', async () => {
    const image = fatImage(scratch, 'second', 64 * MIB, ['-F', '32', '-s', '1']);
    image.put('/kernel', content(50_000, 6));
    const source = imageSource(image.path);
    const { fatStart, fatBytes } = readBootSector(await source.read(0, 512));
    const spoilt = { offset: fatStart, bytes: Buffer.alloc(fatBytes, 0xff) };
    const first = await readTree(await openFat(patched(source, [spoilt]), budget()));
    assert.notDeepEqual(first.get('/kernel'), content(50_000, 6));
    const second = patched(source, [spoilt, { offset: 40, bytes: Uint8Array.of(0x81) }]);
    assert.deepEqual((await readTree(await openFat(second, budget()))).get('/kernel'), content(50_000, 6));
  });

  for (const bits of ['12', '16', '32'] as const)
    test(`FAT${bits} with files in many pieces`, async () => {
      const bytes = { '12': 1, '16': 4, '32': 34 }[bits] * MIB;
      const image = fatImage(scratch, `fragments-${bits}`, bytes, ['-F', bits, '-s', '1']);
      // The disk is filled with small files, and every second one given up: what comes next has to take the gaps.
      const fillers = 40;
      const numbers = Array.from({ length: fillers }, (_, index) => index);
      image.putAll('/', new Map(numbers.map((index) => [`f${index}`, filler(index)])));
      image.put('/rest', Buffer.alloc(freeClusters(image, fillers * 3) * 512, 7));
      const even = numbers.filter((index) => index % 2 === 0);
      image.putAll('/', new Map(even.map((index) => [`f${index}`, Buffer.alloc(0)])));
      const scattered = content((fillers / 2) * 3 * 512 - 100, 99);
      image.put('/scattered', scattered);

      const source = imageSource(image.path);
      const filesystem = await openFat(source, budget());
      const node = await filesystem.find(filesystem.root, 'scattered');
      assert.ok(node);
      const file = await filesystem.open(node);
      const before = source.reads.length;
      assert.deepEqual(Buffer.from(await file.read(0, file.size)), scattered);
      assert.ok(source.reads.length - before >= fillers / 2, 'it does lie in pieces');
      for (const [offset, length] of [
        [0, 1],
        [511, 2],
        [1535, 2],
        [5000, 9000],
        [scattered.length - 1, 1],
        [scattered.length, 0],
      ] as const)
        assert.deepEqual(Buffer.from(await file.read(offset, length)), scattered.subarray(offset, offset + length));
      await assert.rejects(file.read(scattered.length, 1), { name: 'FormatError', kind: 'truncated' });
      for (let index = 1; index < fillers; index += 2) {
        const odd = await filesystem.find(filesystem.root, `f${index}`);
        assert.ok(odd);
        const kept = await filesystem.open(odd);
        assert.deepEqual(Buffer.from(await kept.read(0, kept.size)), filler(index));
      }
    });
});

/** The boot sector of a small FAT12, changed. */
function sector(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.set([0xeb, 0x3c, 0x90]);
  bytes.writeUInt16LE(512, 11);
  bytes.writeUInt8(4, 13);
  bytes.writeUInt16LE(1, 14);
  bytes.writeUInt8(2, 16);
  bytes.writeUInt16LE(512, 17);
  bytes.writeUInt16LE(8192, 19);
  bytes.writeUInt8(0xf8, 21);
  bytes.writeUInt16LE(6, 22);
  bytes.writeUInt16LE(0xaa55, 510);
  change(bytes);
  return bytes;
}

describe('what is no FAT', () => {
  test('is told from what is', () => {
    assert.equal(readBootSector(sector(() => undefined)).kind, 'FAT12');
  });

  const cases: readonly [string, (bytes: Buffer) => void][] = [
    ['no jump', (bytes) => bytes.writeUInt8(0, 0)],
    ['no signature', (bytes) => bytes.writeUInt16LE(0, 510)],
    ['sectors of 0 bytes', (bytes) => bytes.writeUInt16LE(0, 11)],
    ['sectors of 513 bytes', (bytes) => bytes.writeUInt16LE(513, 11)],
    ['sectors of 8192 bytes', (bytes) => bytes.writeUInt16LE(8192, 11)],
    ['clusters of 0 sectors', (bytes) => bytes.writeUInt8(0, 13)],
    ['clusters of 3 sectors', (bytes) => bytes.writeUInt8(3, 13)],
    ['no reserved sectors', (bytes) => bytes.writeUInt16LE(0, 14)],
    ['no FATs', (bytes) => bytes.writeUInt8(0, 16)],
    ['an unknown medium', (bytes) => bytes.writeUInt8(0x11, 21)],
    ['no root directory', (bytes) => bytes.writeUInt16LE(0, 17)],
    ['a FAT that leaves no room', (bytes) => bytes.writeUInt16LE(5000, 22)],
    ['no sectors', (bytes) => bytes.writeUInt16LE(0, 19)],
    ['too many clusters of FAT16', (bytes) => bytes.writeUInt16LE(0, 19) && bytes.writeUInt32LE(1_000_000, 32)],
    ['FAT32 of a later version', (bytes) => bytes.writeUInt16LE(0, 22) && bytes.writeUInt16LE(1, 42)],
    ['FAT32 with a root of fixed size', (bytes) => bytes.writeUInt16LE(0, 22) && bytes.writeUInt32LE(6, 36)],
  ];
  for (const [name, change] of cases)
    test(name, async () => {
      const volume = memorySource('volume', Buffer.concat([sector(change), Buffer.alloc(8191 * 512)]));
      await assert.rejects(openFat(volume, budget()), { name: 'FormatError', kind: 'malformed' });
    });

  test('exFAT, by its name', async () => {
    const bytes = sector((sector) => sector.write('EXFAT   ', 3, 'latin1'));
    await assert.rejects(openFat(memorySource('volume', bytes), budget()), /exFAT/);
  });

  test('less than a sector', async () => {
    for (const length of [0, 1, 511])
      await assert.rejects(openFat(memorySource('volume', Buffer.alloc(length, 0xeb)), budget()), FormatError);
  });
});
