/** What tests of disks share: a folder of their own, disks with content that tells places apart, a comparison. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Disk, OpenDiskOptions } from '../../src/disk/disk.ts';
import { openDiskPath } from '../../src/disk/open-disk-path.ts';
import { FormatError, type FormatErrorKind } from '../../src/format-error.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';

/** A folder that is gone when the file's tests are done. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-disk-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function plenty(): Budget {
  return new Budget(2 ** 33, 2 ** 26);
}

/**
 * A disk of islands between holes: text that packs well, noise that doesn't, each of lengths that fit no cluster.
 * @param bytes its size. @param seed another one gives another disk
 */
export function islands(bytes: number, seed = 1): Buffer {
  const disk = Buffer.alloc(bytes);
  let state = seed;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let at = next(100_000); at < bytes; at += next(400_000)) {
    const end = Math.min(bytes, at + next(200_000));
    const noise = next(2) === 1;
    for (; at < end; at += 4) {
      if (noise) state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      disk.writeUInt32LE(noise ? state : (at ^ seed) >>> 6, Math.min(at, bytes - 4));
    }
  }
  return disk;
}

/** All of a source, and pieces of it in an order that caches don't expect, are these bytes. */
export async function assertSame(source: ByteSource, wanted: Buffer): Promise<void> {
  assert.equal(source.size, wanted.length);
  let state = 7;
  for (let i = 0; i < 300; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const offset = Math.floor((state / 2 ** 32) * wanted.length);
    const length = Math.min(wanted.length - offset, [1, 13, 512, 4096, 70_000, 300_000][i % 6] ?? 1);
    const got = await source.read(offset, length);
    assert.ok(wanted.subarray(offset, offset + length).equals(got), `${length} bytes at ${offset}`);
  }
  assert.ok(wanted.equals(await source.read(0, wanted.length)), 'all of it');
  assert.equal((await source.read(wanted.length, 0)).length, 0);
  await assertFails(source.read(wanted.length - 1, 2), 'truncated');
}

/** @returns the error */
export async function assertFails(promise: Promise<unknown>, kind: FormatErrorKind, text = /./): Promise<FormatError> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, text);
    return error;
  }
  throw new assert.AssertionError({ message: `no error, ${kind} expected` });
}

/** Opens, compares, closes. */
export async function assertDisk(
  path: string,
  wanted: string | Buffer,
  options: Partial<OpenDiskOptions> = {},
): Promise<Disk> {
  const disk = await openDiskPath(path, { budget: plenty(), ...options });
  try {
    await assertSame(disk.source, typeof wanted === 'string' ? readFileSync(wanted) : wanted);
    return disk;
  } finally {
    disk.close();
  }
}
