import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UnpinError } from '@unpin/contract/errors';
import * as fc from 'fast-check';
import { FormatError, type FormatErrorKind } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import { budgetedSource } from '../../src/source/budgeted-source.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';
import { cachedSource } from '../../src/source/cached-source.ts';
import { openFileSource } from '../../src/source/file-source.ts';
import { LruCache } from '../../src/source/lru-cache.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { MOST_AT_ONCE } from '../../src/source/most-at-once.ts';
import { SpillFile } from '../../src/source/spill-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'unpin-source-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

function isKind(kind: FormatErrorKind): (error: unknown) => boolean {
  return (error) => error instanceof FormatError && error.kind === kind;
}

function code(wanted: string, found: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UnpinError);
    assert.equal(error.code, wanted);
    assert.match(error.message, found);
    return true;
  };
}

describe('a file', () => {
  const path = join(folder, 'file');

  test('is read anywhere', async () => {
    writeFileSync(path, bytes);
    const file = openFileSource(path);
    assert.equal(file.size, bytes.length);
    assert.ok(bytes.subarray(777, 7777).equals(await file.read(777, 7000)));
    assert.equal((await file.read(bytes.length, 0)).length, 0);
    await assert.rejects(file.read(bytes.length - 1, 2), isKind('truncated'));
    await assert.rejects(file.read(-1, 2), isKind('truncated'));
    await assert.rejects(file.read(0.5, 1), isKind('truncated'));
    file.close();
  });

  test('that becomes shorter meanwhile is truncated', async () => {
    writeFileSync(path, bytes);
    const file = openFileSource(path);
    truncateSync(path, 5000);
    await assert.rejects(file.read(4000, 2000), isKind('truncated'));
    assert.equal((await file.read(4000, 1000)).length, 1000);
    file.close();
  });

  test('that was closed is unreadable', async () => {
    writeFileSync(path, bytes);
    const file = openFileSource(path);
    file.close();
    file.close();
    await assert.rejects(file.read(0, 1), isKind('unreadable'));
  });

  test('is the same one under all its names', () => {
    const link = join(folder, 'link');
    writeFileSync(path, bytes);
    symlinkSync(path, link);
    const files = [openFileSource(path), openFileSource(link)];
    assert.equal(files[0]?.identity, files[1]?.identity);
    for (const file of files) file.close();
    assert.throws(() => openFileSource(link, { refuseLink: true }), /symbolic link/);
  });

  test('that asks for more at once than memory should hold is refused', async () => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    const file = openFileSource(path);
    await assert.rejects(file.read(0, MOST_AT_ONCE + 1), isKind('over-budget'));
    file.close();
  });

  test('that is none is told: a folder, a FIFO, a device, nothing', () => {
    assert.throws(() => openFileSource(folder), code('FILE_UNREADABLE', /a folder/));
    assert.throws(() => openFileSource('/dev/zero'), code('FILE_UNREADABLE', /a character device/));
    assert.throws(() => openFileSource(join(folder, 'none')), code('FILE_NOT_FOUND', /a disk image/));
    const fifo = join(folder, 'fifo');
    if (spawnSync('mkfifo', [fifo]).status === 0)
      assert.throws(() => openFileSource(fifo), code('FILE_UNREADABLE', /a FIFO/));
  });
});

/** Counts what is asked of it. */
function counted(below: ByteSource): ByteSource & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    ...below,
    reads,
    read: async (offset, length) => {
      reads.push([offset, length]);
      return below.read(offset, length);
    },
  };
}

function cached(options: Parameters<typeof cachedSource>[1]): {
  below: ReturnType<typeof counted>;
  cache: ByteSource;
} {
  const below = counted(memorySource('m', bytes));
  return { below, cache: cachedSource(below, options) };
}

describe('a cache', () => {
  test('shows what is below, whatever is read in which order', async () => {
    const reads = fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(20_000)), { maxLength: 30 });
    const sizes = fc.record({
      blockBytes: fc.integer({ min: 1, max: 9000 }),
      cacheBytes: fc.nat(30_000),
      readAheadBytes: fc.nat(30_000),
    });
    await fc.assert(
      fc.asyncProperty(reads, sizes, fc.boolean(), async (reads, options, together) => {
        const { cache } = cached(options);
        const one = async ([offset, length]: [number, number]): Promise<void> => {
          const fits = Math.min(length, bytes.length - offset);
          assert.ok(bytes.subarray(offset, offset + fits).equals(await cache.read(offset, fits)));
        };
        if (together) await Promise.all(reads.map(one));
        else for (const read of reads) await one(read);
      }),
      { numRuns: 200 },
    );
  });

  test('reads a block once, also for two at a time', async () => {
    const { below, cache } = cached({ blockBytes: 1000 });
    await Promise.all([cache.read(10, 5), cache.read(20, 900), cache.read(0, 1000)]);
    await cache.read(999, 1);
    assert.deepEqual(below.reads, [[0, 1000]]);
  });

  test('reads neighbours at once, and ahead once reads follow each other', async () => {
    const { below, cache } = cached({ blockBytes: 1000, readAheadBytes: 4000 });
    await cache.read(500, 2000);
    assert.deepEqual(below.reads, [[0, 3000]]);
    for (let at = 3000; at < 30_000; at += 500) await cache.read(at, 500);
    assert.ok(below.reads.length < 12, `${below.reads.length} reads`);
    const after = below.reads.length;
    await cache.read(80_000, 10);
    assert.deepEqual(below.reads.slice(after), [[80_000, 1000]]);
  });

  test('keeps no more than allowed', async () => {
    const { below, cache } = cached({ blockBytes: 1000, cacheBytes: 2000, readAheadBytes: 0 });
    for (const at of [0, 10_000, 20_000]) await cache.read(at, 1);
    below.reads.length = 0;
    await cache.read(20_000, 1);
    await cache.read(10_000, 1);
    assert.deepEqual(below.reads, []);
    await cache.read(0, 1);
    assert.deepEqual(below.reads, [[0, 1000]]);
  });

  test('keeps no failure', async () => {
    let fails = true;
    const flaky: ByteSource = {
      name: 'f',
      size: bytes.length,
      read: async (offset, length) => {
        if (fails) throw new FormatError('unreadable', 'f', offset, 'not now');
        return bytes.subarray(offset, offset + length);
      },
    };
    const cache = cachedSource(flaky);
    await assert.rejects(cache.read(0, 10), isKind('unreadable'));
    fails = false;
    assert.equal((await cache.read(0, 10)).length, 10);
  });
});

describe('a least recently used cache', () => {
  test('drops what was not used for longest, and keeps one however heavy', () => {
    const cache = new LruCache<string>(10);
    cache.set(1, 'a', 4);
    cache.set(2, 'b', 4);
    cache.get(1);
    cache.set(3, 'c', 4);
    assert.deepEqual([cache.get(1), cache.get(2), cache.get(3)], ['a', undefined, 'c']);
    cache.set(4, 'd', 100);
    assert.deepEqual([cache.size, cache.get(4), cache.weight], [1, 'd', 100]);
    cache.set(4, 'e', 1);
    assert.deepEqual([cache.size, cache.weight], [1, 1]);
  });
});

test('a budget is charged for what is read of the medium, not of a cache', async () => {
  const cache = cachedSource(budgetedSource(memorySource('m', bytes), new Budget(10_000, 0)), {
    blockBytes: 1000,
    readAheadBytes: 0,
  });
  for (let i = 0; i < 100; i++) await cache.read(0, 10_000);
  await assert.rejects(cache.read(50_000, 1), isKind('over-budget'));
});

describe('a temporary file', () => {
  const limits = { folder, bytes: 2 ** 20, stored: 2 ** 16 };

  test('holds what was appended in any pieces, its zeroes left out', async () => {
    const parts = fc.array(fc.tuple(fc.nat(9000), fc.integer({ min: 0, max: 1 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(parts, async (parts) => {
        const pieces = parts.map(([length, value]) => Buffer.alloc(length, value));
        const spill = new SpillFile('s', { ...limits, stored: 2 ** 20 });
        for (const piece of pieces) spill.append(piece);
        const file = spill.finish();
        const all = Buffer.concat(pieces);
        assert.equal(file.size, all.length);
        assert.ok(all.equals(await file.read(0, all.length)));
        file.close();
        const ones = all.filter((byte) => byte === 1).length;
        assert.ok(spill.stored >= ones && spill.stored <= ones + parts.length * 2 * 4096);
      }),
      { numRuns: 60 },
    );
  });

  test('ends at either limit', () => {
    const spill = new SpillFile('s', limits);
    assert.throws(() => spill.append(Buffer.alloc(2 ** 20 + 1)), isKind('over-budget'));
    assert.throws(() => new SpillFile('s', limits).append(Buffer.alloc(2 ** 16 + 1, 1)), isKind('over-budget'));
    spill.discard();
  });

  test('that can not be made is unreadable', () => {
    assert.throws(() => new SpillFile('s', { ...limits, folder: join(folder, 'none') }), isKind('unreadable'));
  });
});
