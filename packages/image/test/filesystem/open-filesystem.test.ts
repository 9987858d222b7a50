import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { openFilesystem } from '../../src/filesystem/open-filesystem.ts';
import { FormatError } from '../../src/index.ts';
import { Budget } from '../../src/source/budget.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { scratchFolder } from '../scratch.ts';
import { diskTool, needsDiskTools } from '../tools.ts';

const folder = scratchFolder();

function budget(): Budget {
  return new Budget(2 ** 26, 1e6);
}

describe('a filesystem is told by its magic', () => {
  for (const [kind, tool, args] of [
    ['ext2', 'mke2fs', ['-q', '-F', '-t', 'ext2']],
    ['ext4', 'mke2fs', ['-q', '-F', '-t', 'ext4']],
    ['FAT16', 'mkfs.vfat', ['-F', '16']],
    ['FAT32', 'mkfs.vfat', ['-F', '32']],
    ['XFS', 'mkfs.xfs', ['-q', '-f']],
  ] as const)
    test(kind, needsDiskTools(), async () => {
      const path = join(folder, kind);
      writeFileSync(path, '');
      truncateSync(path, 400 * 2 ** 20);
      diskTool(tool, [...args, path]);
      assert.equal((await openFilesystem(openFileSource(path), budget())).kind, kind);
    });

  test('an ext filesystem behind what remained of a FAT boot sector', needsDiskTools(), async () => {
    const path = join(folder, 'both');
    writeFileSync(path, '');
    truncateSync(path, 40 * 2 ** 20);
    diskTool('mkfs.vfat', [path]);
    const boot = await openFileSource(path).read(0, 512);
    diskTool('mke2fs', ['-q', '-F', '-t', 'ext4', path]);
    const bytes = Buffer.from(await openFileSource(path).read(0, 40 * 2 ** 20));
    bytes.set(boot);
    assert.equal((await openFilesystem(memorySource('both', bytes), budget())).kind, 'ext4');
  });
});

describe('what is not read here is named', () => {
  for (const [at, text, kind, said] of [
    [0, 'LUKS\xba\xbe\0\x01', 'encrypted', /LUKS/],
    [3, '-FVE-FS-', 'encrypted', /BitLocker/],
    [512, 'LABELONE', 'unsupported', /LVM2/],
    [4096, '\xfc\x4e\x2b\xa9', 'unsupported', /software RAID/],
    [3, 'NTFS    ', 'unsupported', /NTFS \(Windows\)/],
    [0x10040, '_BHRfS_M', 'unsupported', /btrfs/],
    [1024, '\x10\x20\xf5\xf2', 'unsupported', /F2FS/],
    [0, 'hsqs', 'unsupported', /SquashFS/],
    [0x8001, 'CD001', 'unsupported', /ISO 9660/],
    [4086, 'SWAPSPACE2', 'unsupported', /Linux swap/],
    [0x10034, 'ReIsEr2Fs', 'unsupported', /ReiserFS/],
    [0x8000, 'JFS1', 'unsupported', /JFS/],
    [0x20000, '\x0c\xb1\xba\0\0\0\0\0', 'unsupported', /ZFS/],
    [1024, '\xe2\xe1\xf5\xe0', 'unsupported', /EROFS/],
  ] as const)
    test(said.source, async () => {
      const bytes = Buffer.alloc(2 ** 18);
      bytes.write(text, at, 'latin1');
      await assert.rejects(openFilesystem(memorySource('disk', bytes), budget()), {
        name: 'FormatError',
        kind,
        message: said,
      });
    });

  test('and nothing is what nothing is known of', async () => {
    for (const [bytes, said] of [
      [new Uint8Array(0), /empty/],
      [new Uint8Array(100), /zeroes/],
      [new Uint8Array(2 ** 18), /zeroes/],
      [new Uint8Array(2 ** 18).fill(0x55), /no kind that is known/],
    ] as const)
      await assert.rejects(openFilesystem(memorySource('disk', bytes), budget()), {
        name: 'FormatError',
        kind: 'unsupported',
        message: said,
      });
  });

  test('whatever the bytes are, it ends in a filesystem or a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.constantFrom('', 'XFSB', '\xeb\x3c\x90'),
        async (bytes, start) => {
          const disk = Buffer.from(bytes);
          disk.write(start, 'latin1');
          if (disk.length > 1024 + 58) disk.writeUInt16LE(0xef53, 1024 + 56);
          try {
            await openFilesystem(memorySource('disk', disk), budget());
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
