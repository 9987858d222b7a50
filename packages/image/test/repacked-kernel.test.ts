/** A real vmlinux, packed as kernels' builds pack theirs (scripts/Makefile.lib), in every format that they offer. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { unpackKernel } from '../src/kernel/vmlinux.ts';
import { assetPath, needsAsset } from './assets.ts';
import { bzImage, withSize } from './synthetic/bz-image.ts';
import { needsTool, pack } from './tools.ts';

const KERNEL = 'kernel-6.12-cloud';
/** Its headers and code: several blocks of every format, and a few seconds of packing in all. */
const PART = 16 * 2 ** 20;

/** As the builds do, but for levels, which cost time and change nothing of the format. */
const RECIPES: readonly { format: string; tool: string; args: readonly string[]; sized?: false }[] = [
  { format: 'gzip', tool: 'gzip', args: ['-n', '-c', '-f', '-1'], sized: false },
  { format: 'bzip2', tool: 'bzip2', args: ['-c', '-1'] },
  { format: 'lzma', tool: 'xz', args: ['--format=lzma', '-c', '-0'] },
  { format: 'xz', tool: 'xz', args: ['--check=crc32', '--x86', '--lzma2=preset=0,dict=32MiB', '-c'] },
  { format: 'lzo', tool: 'lzop', args: ['-1'] },
  { format: 'lz4-legacy', tool: 'lz4', args: ['-l', '-1', '-c'] },
  { format: 'zstd', tool: 'zstd', args: ['-1', '-c', '-q'] },
];

describe('a kernel packed again', () => {
  let image: Buffer | undefined;
  for (const { format, tool, args, sized } of RECIPES) {
    const { skip } = needsTool(tool);
    test(`with ${format} is the same inside`, skip === false ? needsAsset(KERNEL) : { skip }, () => {
      image ??= Buffer.from(unpackKernel(readFileSync(assetPath(KERNEL) ?? '')).image.subarray(0, PART));
      const packed = pack(tool, args, image);
      const file = bzImage(sized === false ? packed : withSize(packed, image.length));
      const unpacked = unpackKernel(file);
      assert.equal(unpacked.payload, format);
      assert.equal(unpacked.container, 'bzimage');
      assert.ok(image.equals(unpacked.image), 'other bytes came out');
    });
  }
});
