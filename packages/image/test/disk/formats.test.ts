import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { detectFormat } from '../../src/disk/detect.ts';
import type { DiskFormat } from '../../src/disk/disk-format.ts';
import { openDisk } from '../../src/disk/open-disk.ts';
import { openDiskPath } from '../../src/disk/open-disk-path.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { diskTool, needsDiskTools, needsTool, pack } from '../tools.ts';
import { assertDisk, assertFails, islands, plenty, workFolder } from './workshop.ts';

const folder = workFolder();
const disk = islands(2 ** 20);
const raw = join(folder, 'raw');
writeFileSync(raw, disk);

const open = (bytes: Uint8Array): ReturnType<typeof openDisk> =>
  openDisk(memorySource('a file', bytes), { budget: plenty() });

/** Bytes with a text at a place. */
function marked(size: number, at: number, text: string): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.write(text, at, 'latin1');
  return bytes;
}

describe('a format that is not read is told by its name', () => {
  const made: readonly [string, string, RegExp][] = [
    ['vmdk', 'subformat=monolithicSparse', /VMDK is not read.*qemu-img convert -O qcow2/],
    ['vmdk', 'subformat=streamOptimized', /VMDK is not read/],
    ['vmdk', 'subformat=twoGbMaxExtentFlat', /VMDK is not read/],
    ['vhdx', '', /VHDX is not read/],
    ['vdi', '', /VDI is not read/],
    ['qed', '', /QED is not read/],
    ['qcow', '', /qcow \(version 1\) is not read/],
    ['parallels', '', /Parallels HDD is not read/],
    ['vpc', 'subformat=dynamic', /only fixed disks.*qemu-img convert/],
  ];
  for (const [format, option, message] of made)
    test(`${format} ${option}`, needsDiskTools(), async () => {
      const to = join(folder, `disk-${option.replace('=', '-')}.${format}`);
      diskTool('qemu-img', ['convert', '-f', 'raw', '-O', format, ...(option === '' ? [] : ['-o', option]), raw, to]);
      await assertFails(openDiskPath(to, { budget: plenty() }), 'unsupported', message);
    });

  for (const [tool, args] of [
    ['xz', ['-c']],
    ['bzip2', ['-c']],
    ['lz4', ['-c']],
    ['lz4', ['-l', '-c']],
  ] as const)
    test(`${tool} ${args.join(' ')}`, needsTool(tool), async () => {
      await assertFails(open(pack(tool, args, disk)), 'unsupported', new RegExp(`${tool} is not unpacked`));
    });

  const marks: readonly [DiskFormat, Buffer][] = [
    ['iso9660', marked(2 ** 16, 0x8001, 'CD001')],
    ['squashfs', marked(2 ** 16, 0, 'hsqs')],
    ['lvm', Buffer.concat([Buffer.alloc(512), marked(4096, 0, `LABELONE${'\0'.repeat(16)}LVM2 001`)])],
    ['zip', marked(4096, 0, 'PK\x03\x04')],
    ['7z', marked(4096, 0, '7z\xbc\xaf\x27\x1c')],
    ['dmg', marked(4096, 4096 - 512, 'koly')],
    ['cloop', marked(4096, 0, '#!/bin/sh\n#V2.0 Format\n')],
    ['android-sparse', marked(4096, 0, '\x3a\xff\x26\xed')],
    ['bochs', marked(4096, 0, 'Bochs Virtual HD Image')],
  ];
  for (const [format, bytes] of marks)
    test(format, async () => {
      assert.equal(await detectFormat(memorySource('a file', bytes)), format);
      await assertFails(open(bytes), 'unsupported');
    });

  test('LUKS and BitLocker are encrypted', async () => {
    await assertFails(open(marked(4096, 0, 'LUKS\xba\xbe\0\x02')), 'encrypted', /LUKS.*key/);
    await assertFails(open(marked(4096, 3, '-FVE-FS-')), 'encrypted', /BitLocker/);
  });
});

describe('a disk that is as it is', () => {
  test('is raw', async () => {
    assert.equal((await assertDisk(raw, raw)).format, 'raw');
  });

  test('of any small size is raw', async () => {
    for (const size of [0, 1, 511, 512, 513]) {
      const opened = await open(Buffer.alloc(size));
      assert.deepEqual([opened.format, opened.source.size], ['raw', size]);
    }
  });

  test('with partitions is no LVM volume, whatever lies in its second sector', async () => {
    const bytes = Buffer.concat([Buffer.alloc(512), marked(4096, 0, `LABELONE${'\0'.repeat(16)}LVM2 001`)]);
    bytes.writeUInt16LE(0xaa55, 510);
    assert.equal((await open(bytes)).format, 'raw');
  });

  test('with a footer is a fixed VHD: the footer is no part of it', needsDiskTools(), async () => {
    const to = join(folder, 'fixed.vhd');
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on', raw, to]);
    assert.equal((await assertDisk(to, raw)).format, 'vhd');
    const cut = join(folder, 'cut.vhd');
    const bytes = readFileSync(to);
    writeFileSync(cut, Buffer.concat([bytes.subarray(0, 4096), bytes.subarray(bytes.length - 512)]));
    await assertFails(openDiskPath(cut, { budget: plenty() }), 'truncated', /VHD footer/);
  });

  test('of 2 TiB, sparse, costs what is read of it', async () => {
    const sparse = join(folder, 'sparse');
    writeFileSync(sparse, '');
    truncateSync(sparse, 2 ** 41);
    const opened = await openDiskPath(sparse, { budget: plenty() });
    assert.ok((await opened.source.read(2 ** 41 - 4096, 4096)).every((byte) => byte === 0));
    opened.close();
  });
});
