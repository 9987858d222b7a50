/** Whatever bytes a file has, it ends in a verdict or a typed error: no crash, no other exception, no endless loop. */
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { FormatError, inspectKernel } from '../src/index.ts';
import { unpackPayload } from '../src/kernel/payload/unpack.ts';
import { assetPath, needsAsset } from './assets.ts';
import { bzImage, withSize } from './synthetic/bz-image.ts';
import { syntheticKernel } from './synthetic/kernel.ts';
import { needsTool, pack } from './tools.ts';

const LIMIT = 2 ** 24;
const text = Buffer.from('private and shared, shared and private. '.repeat(400));
const vmlinux = syntheticKernel();

/** Bytes of `from` with a few of the first `within` replaced, and sometimes cut off. */
function damaged(from: Buffer, within = from.length): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.nat(Math.max(0, within - 1)), fc.nat(255));
  const edited = fc.array(edit, { minLength: 1, maxLength: 6 }).map((edits) => {
    const bytes = Buffer.from(from);
    for (const [at, value] of edits) bytes[at] = value;
    return bytes;
  });
  const cut = fc.tuple(edited, fc.nat(from.length)).map(([bytes, length]) => bytes.subarray(0, length));
  return fc.oneof({ arbitrary: edited, weight: 4 }, { arbitrary: cut, weight: 1 });
}

function endsTyped(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    // Anything else is a defect, and fails with its own stack.
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('a damaged payload', () => {
  const packed: readonly [string, { skip: string | false }, () => Buffer][] = [
    ['gzip', { skip: false }, () => gzipSync(text)],
    ['zstd', { skip: false }, () => withSize(zstdCompressSync(text), text.length)],
    ['lz4-legacy', needsTool('lz4'), () => withSize(pack('lz4', ['-l', '-c'], text), text.length)],
    ['lz4', needsTool('lz4'), () => withSize(pack('lz4', ['-BD', '-c'], text), text.length)],
    ['xz', needsTool('xz'), () => withSize(pack('xz', ['--check=none', '--x86', '--lzma2', '-c'], text), text.length)],
    ['lzma', needsTool('xz'), () => withSize(pack('xz', ['--format=lzma', '-c'], text), text.length)],
    ['bzip2', needsTool('bzip2'), () => withSize(pack('bzip2', ['-c'], text), text.length)],
    ['lzo', needsTool('lzop'), () => withSize(pack('lzop', ['-F', '-9', '-c'], text), text.length)],
  ];
  for (const [format, need, make] of packed)
    test(`${format} ends in bytes or a typed error`, need, () => {
      const arbitrary = damaged(make());
      fc.assert(
        fc.property(arbitrary, (bytes) => endsTyped(() => unpackPayload(bytes, LIMIT))),
        { numRuns: 1500 },
      );
    });
});

describe('a damaged kernel file', () => {
  test('with a damaged header ends in a verdict', () => {
    const file = bzImage(withSize(zstdCompressSync(vmlinux), vmlinux.length));
    fc.assert(
      fc.property(damaged(file, 0x300), (bytes) => {
        inspectKernel(bytes, 'k', { imageLimit: LIMIT });
      }),
      { numRuns: 300 },
    );
  });

  test('with a damaged image inside ends in a verdict', () => {
    // Headers and tables more often than the rest.
    const places = fc.oneof(damaged(vmlinux, 64 + 56 * 3), damaged(vmlinux), damaged(vmlinux, 4096));
    fc.assert(
      fc.property(places, (bytes) => {
        inspectKernel(bytes, 'k', { imageLimit: LIMIT });
      }),
      { numRuns: 500 },
    );
  });

  test('of random bytes behind a true magic ends in a verdict', () => {
    const elf = vmlinux.subarray(0, 20);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (tail) => {
        inspectKernel(Buffer.concat([elf, tail]), 'k');
        inspectKernel(bzImage(tail), 'k', { imageLimit: LIMIT });
      }),
      { numRuns: 500 },
    );
  });

  for (const id of ['kernel-5.10-cloud', 'kernel-6.12-cloud'])
    test(`${id}, cut off or changed anywhere, ends in a verdict`, needsAsset(id), () => {
      const file = readFileSync(assetPath(id) ?? '');
      const places = fc.oneof(
        damaged(file, 0x300),
        damaged(file),
        fc.nat(file.length).map((n) => file.subarray(0, n)),
      );
      fc.assert(
        fc.property(places, (bytes) => {
          inspectKernel(bytes, 'k');
        }),
        { numRuns: 25 },
      );
    });
});
