/** Whatever bytes a disk image has, it ends in bytes or a FormatError: no crash, no other error, no endless loop. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { openDisk } from '../../src/disk/open-disk.ts';
import { zstdFrameLength } from '../../src/disk/qcow2/zstd-frame.ts';
import { FormatError } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { diskTool, needsDiskTools } from '../tools.ts';
import { islands, workFolder } from './workshop.ts';

const MIB = 2 ** 20;
const folder = workFolder();
const LIMITS = { bytes: 32 * MIB, steps: 50_000 };
const SPILL = { bytes: 8 * MIB, stored: 4 * MIB, folder };

/** Opens and reads: the start, the end, places between; all of it where that isn't much. */
async function endsTyped(bytes: Uint8Array, behind?: Uint8Array): Promise<'read' | 'refused'> {
  const backing = (): ByteSource | undefined => behind && memorySource('behind', behind);
  // A step is an entry, a byte is a byte: what is not charged shows as memory or time.
  const budget = new Budget(LIMITS.bytes, LIMITS.steps);
  try {
    const disk = await openDisk(memorySource('a disk', bytes), { budget, backing, spill: SPILL });
    const { size } = disk.source;
    try {
      assert.ok(Number.isSafeInteger(size) && size >= 0);
      for (const part of [0, 0.25, 0.5, 0.99])
        await disk.source.read(Math.floor(size * part), Math.min(4096, Math.floor(size * (1 - part))));
      if (size < 4 * MIB) assert.equal((await disk.source.read(0, size)).length, size);
      return 'read';
    } finally {
      disk.close();
    }
  } catch (error) {
    // Anything else is a defect, and fails with its own stack.
    if (!(error instanceof FormatError)) throw error;
    return 'refused';
  }
}

/** A few bytes of one of these stretches replaced, values at the edges of numbers more often. */
function damaged(from: Buffer, stretches: readonly (readonly [number, number])[]): fc.Arbitrary<Buffer> {
  const places = stretches.map(([start, length]) => fc.integer({ min: start, max: start + length - 1 }));
  const place = fc.oneof(...places, fc.nat(from.length - 1));
  const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
  const edited = fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 5 }).map((edits) => {
    const bytes = Buffer.from(from);
    for (const [at, byte] of edits) bytes[at] = byte;
    return bytes;
  });
  const cut = fc.tuple(edited, fc.nat(from.length)).map(([bytes, length]) => bytes.subarray(0, length));
  return fc.oneof({ arbitrary: edited, weight: 5 }, { arbitrary: cut, weight: 1 });
}

/** Both ends must be met: where all are refused or none is, the damage teaches nothing. */
async function check(images: fc.Arbitrary<Buffer>, runs: number, behind?: Uint8Array): Promise<void> {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(images, async (bytes) => {
      seen.add(await endsTyped(bytes, behind));
    }),
    { numRuns: runs },
  );
  assert.deepEqual([...seen].sort(), ['read', 'refused']);
}

describe('a damaged qcow2 ends in bytes or a FormatError', needsDiskTools(), () => {
  const raw = join(folder, 'raw');
  writeFileSync(raw, islands(MIB, 4));
  const forms: Readonly<Record<string, readonly string[]>> = {
    'version 2': ['-o', 'compat=0.10,cluster_size=4k'],
    'version 3, zlib': ['-c', '-o', 'cluster_size=4k'],
    'version 3, zstd': ['-c', '-o', 'cluster_size=4k,compression_type=zstd'],
    'clusters of 512 bytes': ['-o', 'cluster_size=512'],
    'clusters of 64 KiB': [],
    subclusters: ['-o', 'extended_l2=on,cluster_size=16k'],
  };
  for (const [title, args] of Object.entries(forms))
    test(title, async () => {
      const to = join(folder, 'image');
      diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...args, raw, to]);
      const bytes = readFileSync(to);
      const l1 = Number(bytes.readBigUInt64BE(40));
      const l2 = Number(bytes.readBigUInt64BE(l1) & 0x00fffffffffffe00n);
      const stretches = [
        [0, 112],
        [112, 300],
        [l1, 16],
        [l2, 256],
      ] as const;
      await check(damaged(bytes, stretches), 400);
    });

  test('with a backing file', async () => {
    const to = join(folder, 'overlay');
    diskTool('qemu-img', ['create', '-f', 'qcow2', '-u', '-F', 'raw', '-b', 'behind', to, '1M']);
    const bytes = readFileSync(to);
    const l1 = Number(bytes.readBigUInt64BE(40));
    const stretches = [
      [0, 112],
      [112, 500],
      [l1, 8],
    ] as const;
    await check(damaged(bytes, stretches), 400, islands(MIB / 2));
    // Itself behind itself.
    await check(damaged(bytes, stretches), 200, bytes);
  });

  test('whose tables lead to each other', async () => {
    const to = join(folder, 'image');
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'cluster_size=512', raw, to]);
    const bytes = readFileSync(to);
    const l1 = Number(bytes.readBigUInt64BE(40));
    const cluster = fc.nat(Math.floor(bytes.length / 512));
    const flags = fc.constantFrom(0n, 1n << 62n, 1n << 63n, 1n, (1n << 62n) - (1n << 50n));
    const entry = fc.tuple(fc.nat(30), fc.boolean(), cluster, flags);
    const image = fc.array(entry, { minLength: 1, maxLength: 6 }).map((entries) => {
      const copy = Buffer.from(bytes);
      for (const [index, first, to, flag] of entries) {
        const table = first ? l1 : Number(copy.readBigUInt64BE(l1) & 0xfffffe00n) % (copy.length - 512);
        copy.writeBigUInt64BE(BigInt(to * 512) | flag, table + index * 8);
      }
      return copy;
    });
    await check(image, 400);
  });
});

/** Sets a header's checksum right again: else nothing behind it is looked at. */
function withChecksum(archive: Buffer): Buffer {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    if (archive.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    archive.fill(' ', at + 148, at + 156);
    const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return archive;
}

describe('a damaged archive ends in bytes or a FormatError', needsDiskTools(), () => {
  const content = Buffer.alloc(40 * 8192);
  for (let i = 0; i < 40; i++) content.fill(i + 1, i * 8192, i * 8192 + 512);
  const forms: Readonly<Record<string, readonly string[]>> = {
    gnu: ['--format=gnu', '-S', '--hole-detection=raw'],
    'pax 1.0': ['--format=pax', '-S', '--hole-detection=raw'],
    'pax 0.0': ['--format=pax', '-S', '--hole-detection=raw', '--sparse-version=0.0'],
  };
  for (const [title, args] of Object.entries(forms))
    test(`tar, ${title}`, async () => {
      const name = `${'long/'.repeat(25)}disk.raw`;
      writeFileSync(join(folder, 'content'), content);
      // With holes: GNU tar looks for zeroes in no other files.
      diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', join(folder, 'content'), join(folder, 'comb')]);
      diskTool('tar', [...args, '-c', '-f', join(folder, 'tar'), '-C', folder, '--transform', `s,.*,${name},`, 'comb']);
      const bytes = readFileSync(join(folder, 'tar'));
      assert.ok(bytes.length < content.length, 'tar left zeroes out');
      const headers = damaged(bytes, [
        [0, 512],
        [512, 1024],
        [1536, 1024],
      ]);
      await check(headers.map(withChecksum), 500);
    });

  test('a stream in gzip', async () => {
    const bytes = gzipSync(content);
    await check(damaged(bytes, [[0, 30]]), 300);
  });

  test('an image, its documents too', async () => {
    const index = JSON.stringify({ manifests: [{ digest: `sha256:${'0'.repeat(64)}`, size: 2, mediaType: 'm' }] });
    writeFileSync(join(folder, 'index.json'), index);
    diskTool('tar', ['-c', '-f', join(folder, 'tar'), '-C', folder, 'index.json', 'raw']);
    const bytes = readFileSync(join(folder, 'tar'));
    const documents = damaged(bytes, [
      [0, 100],
      [512, index.length],
    ]);
    await fc.assert(
      fc.asyncProperty(documents.map(withChecksum), async (image) => void (await endsTyped(image))),
      { numRuns: 500 },
    );
    const json = fc.json().map((text) => Buffer.from(text));
    await fc.assert(
      fc.asyncProperty(json, async (document) => {
        const image = Buffer.alloc(1024 + Math.ceil(document.length / 512) * 512);
        bytes.copy(image, 0, 0, 512);
        image.write(`${document.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
        document.copy(image, 512);
        assert.equal(await endsTyped(withChecksum(image)), 'refused');
      }),
      { numRuns: 300 },
    );
  });
});

test('random bytes behind a true magic end in bytes or a FormatError', async () => {
  const magics = ['QFI\xfb\0\0\0\x03', 'QFI\xfb\0\0\0\x02', 'conectix', '\x1f\x8b\x08', '\x28\xb5\x2f\xfd'];
  const image = fc.tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 3000 }), fc.boolean());
  await fc.assert(
    fc.asyncProperty(image, async ([magic, tail, atEnd]) => {
      const parts = [Buffer.from(magic, 'latin1'), Buffer.from(tail)];
      const padded = Buffer.concat([...parts, Buffer.alloc(512)]).subarray(0, 512);
      await endsTyped(atEnd ? Buffer.concat([Buffer.from(tail), padded]) : Buffer.concat(parts));
    }),
    { numRuns: 1000 },
  );
});

test('a zstd frame of random bytes has a length or is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
      const bytes = Buffer.concat([Buffer.of(0x28, 0xb5, 0x2f, 0xfd), Buffer.from(tail)]);
      try {
        const length = zstdFrameLength(bytes);
        assert.ok(length > 0 && length <= bytes.length);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
