import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { backingInSameFolder, firstBacking, namedBacking } from '../../src/disk/backing.ts';
import { openDisk } from '../../src/disk/open-disk.ts';
import { openDiskPath } from '../../src/disk/open-disk-path.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { diskTool, needsDiskTools } from '../tools.ts';
import { assertDisk, assertFails, islands, plenty, workFolder } from './workshop.ts';

const MIB = 2 ** 20;
const folder = workFolder();
const raw = join(folder, 'raw');
// No multiple of a cluster, as disks of old machines are.
writeFileSync(raw, islands(5 * MIB + 512 * 3));

let count = 0;
const path = (): string => join(folder, `disk-${++count}.qcow2`);

function convert(args: readonly string[], from = raw): string {
  const to = path();
  diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...args, from, to]);
  return to;
}

/** Patches bytes of a copy. */
function patched(file: string, ...patches: readonly (readonly [number, readonly number[]])[]): string {
  const to = path();
  copyFileSync(file, to);
  const bytes = readFileSync(to);
  for (const [at, values] of patches) bytes.set(values, at);
  writeFileSync(to, bytes);
  return to;
}

describe('a qcow2 that qemu-img made', needsDiskTools(), () => {
  const made: Readonly<Record<string, readonly string[]>> = {
    'version 2': ['-o', 'compat=0.10'],
    'version 3': ['-o', 'compat=1.1'],
    'version 2, zlib': ['-c', '-o', 'compat=0.10'],
    'version 3, zlib': ['-c'],
    'version 3, zstd': ['-c', '-o', 'compression_type=zstd'],
    'clusters of 512 bytes': ['-o', 'cluster_size=512'],
    'clusters of 512 bytes, zlib': ['-c', '-o', 'cluster_size=512'],
    'clusters of 4 KiB, zstd': ['-c', '-o', 'cluster_size=4k,compression_type=zstd'],
    'clusters of 2 MiB': ['-o', 'cluster_size=2M'],
    'clusters of 2 MiB, zlib': ['-c', '-o', 'cluster_size=2M'],
    'clusters of 2 MiB, zstd': ['-c', '-o', 'cluster_size=2M,compression_type=zstd'],
    subclusters: ['-o', 'extended_l2=on,cluster_size=128k'],
    'subclusters, zlib': ['-c', '-o', 'extended_l2=on,cluster_size=16k'],
    'tables made beforehand': ['-o', 'preallocation=metadata'],
    'lazy refcounts': ['-o', 'lazy_refcounts=on'],
    'zeroes written': ['-S', '0'],
  };
  for (const [title, args] of Object.entries(made))
    test(`${title}: reads as the raw disk`, async () => {
      const disk = await assertDisk(convert(args), raw);
      assert.equal(disk.format, 'qcow2');
    });

  test('without a byte reads as one', async () => {
    const file = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', file, '0']);
    const disk = await openDiskPath(file, { budget: plenty() });
    assert.equal(disk.source.size, 0);
    disk.close();
  });

  test('with internal snapshots shows the state of now, and says so', async () => {
    const file = convert([]);
    diskTool('qemu-img', ['snapshot', '-c', 'before', file]);
    const disk = await assertDisk(file, raw);
    assert.match(disk.notes.join(), /1 internal snapshots/);
  });

  test('of 2 TiB costs what is read of it', async () => {
    const file = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', file, '2T']);
    const disk = await openDiskPath(file, { budget: new Budget(MIB, 1000) });
    assert.ok((await disk.source.read(2 ** 41 - 4096, 4096)).every((byte) => byte === 0));
    disk.close();
  });
});

/** base ← middle ← top, each with parts of its own; top is larger than what is behind it. */
function chain(args: readonly string[] = [], names: 'plain' | 'absolute' = 'plain'): { files: string[]; flat: string } {
  const base = convert(['-c']);
  const link = (behind: string, size: string): string => {
    const file = path();
    const name = names === 'plain' ? basename(behind) : behind;
    diskTool('qemu-img', ['create', '-f', 'qcow2', ...args, '-F', 'qcow2', '-b', name, file, size]);
    return file;
  };
  const middle = link(base, '6M');
  writeInside(middle, islands(6 * MIB, 5), 3);
  const top = link(middle, '7M');
  writeInside(top, islands(7 * MIB, 9), 2);
  const flat = join(folder, `flat-${count}`);
  diskTool('qemu-img', ['convert', '-O', 'raw', top, flat]);
  return { files: [base, middle, top], flat };
}

/** Writes every n-th 100 KB of a disk into an image, through qemu-img's own writer. */
function writeInside(file: string, content: Buffer, every: number): void {
  const piece = join(folder, 'piece');
  for (let at = 0, n = 0; at + 100_352 < content.length; at += 100_352 * 6, n++) {
    if (n % every !== 0) continue;
    writeFileSync(piece, content.subarray(at, at + 100_352));
    const target = `driver=raw,offset=${at},size=100352,file.driver=qcow2,file.file.driver=file,file.file.filename=${file}`;
    diskTool('qemu-img', ['convert', '-n', '-f', 'raw', '-S', '0', '--target-image-opts', piece, target]);
  }
}

let made: ReturnType<typeof chain> | undefined;
/** One chain for all that only look at it. */
function shared(): ReturnType<typeof chain> {
  made ??= chain();
  return made;
}

function plain(): string {
  return convert(['-o', 'compat=1.1']);
}

describe('a qcow2 with a backing file', needsDiskTools(), () => {
  test('reads as qemu-img flattens it, if its folder is allowed', async () => {
    const { files, flat } = shared();
    await assertDisk(files[2] ?? '', flat, { backing: backingInSameFolder });
  });

  test('with subclusters reads as qemu-img flattens it', async () => {
    const { files, flat } = chain(['-o', 'extended_l2=on']);
    await assertDisk(files[2] ?? '', flat, { backing: backingInSameFolder });
  });

  test('reads if its files are named, by path or as another one', async () => {
    const { files, flat } = chain([], 'absolute');
    const [base = '', middle = '', top = ''] = files;
    const moved = join(folder, 'moved');
    copyFileSync(base, moved);
    await assertDisk(top, flat, { backing: namedBacking([{ path: middle }, { path: moved, name: base }]) });
    await assertFails(
      openDiskPath(top, { budget: plenty(), backing: namedBacking([{ path: middle }, { path: moved }]) }),
      'escape',
    );
  });

  test('is refused unless its file was named, and the error names it', async () => {
    const { files } = shared();
    await assertFails(
      openDiskPath(files[2] ?? '', { budget: plenty() }),
      'escape',
      /needs "disk-\d+\.qcow2".*name that file too/,
    );
  });

  test('that is raw is not looked into for another format', async () => {
    const inner = convert([]);
    const top = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-F', 'raw', '-b', inner, top]);
    await assertDisk(top, inner, { backing: namedBacking([{ path: inner }]) });
  });

  test('of another format is unsupported by name', async () => {
    const inner = join(folder, 'inner.vmdk');
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', raw, inner]);
    const top = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-F', 'vmdk', '-b', inner, top]);
    await assertFails(openDiskPath(top, { budget: plenty(), backing: backingInSameFolder }), 'escape');
    await assertFails(
      openDiskPath(top, { budget: plenty(), backing: namedBacking([{ path: inner }]) }),
      'unsupported',
      /VMDK/,
    );
  });

  test('never leads out of its folder: not by a path, not by a link', async () => {
    const top = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'raw', '-b', '../../../etc/passwd', top, '1M']);
    await assertFails(openDiskPath(top, { budget: plenty(), backing: backingInSameFolder }), 'escape', /etc\/passwd/);
    symlinkSync('/etc/passwd', join(folder, 'innocent'));
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'raw', '-b', 'innocent', top, '1M']);
    await assertFails(
      openDiskPath(top, { budget: plenty(), backing: backingInSameFolder }),
      'unreadable',
      /symbolic link/,
    );
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'raw', '-b', 'not-there', top, '1M']);
    await assertFails(openDiskPath(top, { budget: plenty(), backing: backingInSameFolder }), 'unreadable');
  });

  test('that leads back to itself is a cycle', async () => {
    const [a, b] = [path(), path()];
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'qcow2', '-b', b, a, '1M']);
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'qcow2', '-b', a, b, '1M']);
    const backing = namedBacking([{ path: a }, { path: b }]);
    await assertFails(openDiskPath(a, { budget: plenty(), backing }), 'cycle');
  });

  test('behind files without end ends', async () => {
    const file = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'qcow2', '-b', 'next', file, '1M']);
    let opened = 0;
    const endless = (): ByteSource =>
      Object.assign(openFileSource(file), { name: `link ${opened}`, identity: String(opened++) });
    await assertFails(openDiskPath(file, { budget: plenty(), backing: endless }), 'over-budget', /chain/);
  });

  test('is asked for in turn by all who may know it', async () => {
    const { files, flat } = shared();
    await assertDisk(files[2] ?? '', flat, { backing: firstBacking(namedBacking([]), backingInSameFolder) });
  });
});

describe('a qcow2 that is not read', needsDiskTools(), () => {
  test('is told by name: encrypted', async () => {
    const file = path();
    const secret = ['--object', 'secret,id=key,data=abcdefgh'];
    diskTool('qemu-img', [
      'create',
      '-f',
      'qcow2',
      ...secret,
      '-o',
      'encrypt.format=aes,encrypt.key-secret=key',
      file,
      '1M',
    ]);
    await assertFails(openDiskPath(file, { budget: plenty() }), 'encrypted', /AES/);
    // Making such a file takes qemu-img seconds: it measures the machine for LUKS's key derivation.
    await assertFails(openDiskPath(patched(plain(), [35, [2]]), { budget: plenty() }), 'encrypted', /LUKS/);
  });

  test('is told by name: data in another file', async () => {
    const file = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-o', `data_file=${join(folder, 'data')}`, file, '1M']);
    await assertFails(openDiskPath(file, { budget: plenty() }), 'unsupported', /another file, ".*data"/);
  });

  test('is told by name: features and versions of the future', async () => {
    await assertFails(openDiskPath(patched(plain(), [79, [0x20]]), { budget: plenty() }), 'unsupported', /feature 5/);
    await assertFails(openDiskPath(patched(plain(), [7, [4]]), { budget: plenty() }), 'unsupported', /version 4/);
  });

  test('is told: cut off', async () => {
    const file = plain();
    truncateSync(file, 5 * 65536);
    const disk = await openDiskPath(file, { budget: plenty() });
    await assertFails(disk.source.read(0, disk.source.size), 'truncated');
    disk.close();
  });

  test('is told: a table that ends inside an entry, though its page is at hand', async () => {
    const file = path();
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-o', 'extended_l2=on,cluster_size=16k', file, '1M']);
    const bytes = readFileSync(file);
    const l1 = Number(bytes.readBigUInt64BE(40));
    bytes.writeBigUInt64BE(BigInt(l1), l1);
    writeFileSync(file, bytes.subarray(0, l1 + 8));
    const disk = await openDiskPath(file, { budget: plenty() });
    await assertFails(disk.source.read(0, 1), 'truncated');
    disk.close();
  });

  test('is told: entries that the format forbids', async () => {
    const file = convert(['-o', 'compat=1.1,cluster_size=64k']);
    const bytes = readFileSync(file);
    const l1 = Number(bytes.readBigUInt64BE(40));
    const l2 = Number(bytes.readBigUInt64BE(l1) & 0x00fffffffffffe00n);
    const forbidden: readonly (readonly [number, bigint, RegExp])[] = [
      [l1, BigInt(l2 + 512), /L1 entry.*no cluster begins/],
      [l1, 1n << 55n, /L1 entry.*no cluster begins|truncated|bytes wanted/],
      [l2, BigInt(65536 + 512), /L2 entry.*no cluster begins/],
    ];
    for (const [at, entry, text] of forbidden) {
      const copy = Buffer.from(bytes);
      copy.writeBigUInt64BE(entry, at);
      const disk = await openDisk(memorySource('a disk', copy), { budget: plenty() });
      await assert.rejects(disk.source.read(0, 1), text);
    }
    const old = Buffer.from(bytes);
    old[7] = 2;
    old.writeBigUInt64BE(1n, l2);
    const disk = await openDisk(memorySource('a disk', old), { budget: plenty() });
    await assertFails(disk.source.read(0, 1), 'malformed', /zero flag in version 2/);
  });

  test('is read all the same where flags tell of damage, and they are noted', async () => {
    const disk = await assertDisk(patched(plain(), [79, [3]]), raw);
    assert.match(disk.notes.join(), /marked as corrupt.*not closed/);
  });

  test('is not looked for where the disk was said to be raw', async () => {
    const file = plain();
    await assertDisk(file, file, { format: 'raw' });
    await assertFails(openDiskPath(raw, { budget: plenty(), format: 'qcow2' }), 'malformed', /magic/);
  });

  test('ends where the budget does', async () => {
    const file = convert(['-c']);
    const source = openFileSource(file);
    const disk = await openDisk(source, { budget: new Budget(2 * MIB, 10_000) });
    await assertFails(disk.source.read(0, disk.source.size), 'over-budget');
    disk.close();
    source.close();
  });
});
