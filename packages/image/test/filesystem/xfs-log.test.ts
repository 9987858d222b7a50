/** A log that ends with an orderly unmount is clean; anything else is noted, for it is not replayed. */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { readSuperblock } from '../../src/filesystem/xfs/superblock.ts';
import { blockPlace } from '../../src/filesystem/xfs/volume.ts';
import { openXfs } from '../../src/filesystem/xfs/xfs-filesystem.ts';
import { Budget } from '../../src/source/budget.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { type ImageSource, imageSource, patched } from './image-source.ts';
import { xfsImage } from './xfs-image.ts';

const scratch = scratchFolder();
const RECORD_MAGIC = 0xfeedbabe;
const UNMOUNT = 0x20;
const DIRTY = /not unmounted in order/;

/** A record of one block behind its header, in a log's blocks of 512 bytes. */
function record(round: number, operations: number, flags: number): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeUInt32BE(RECORD_MAGIC, 0);
  bytes.writeUInt32BE(round, 4);
  bytes.writeUInt32BE(2, 8);
  bytes.writeUInt32BE(512, 12);
  bytes.writeUInt32BE(operations, 40);
  bytes.writeUInt32BE(0x8000, 320);
  bytes.writeUInt32BE(round, 512);
  bytes.writeUInt8(flags, 512 + 9);
  return bytes;
}

/** A log full of unmounts: of round `first` before `head`, of round `second` behind it. */
function fill(log: Buffer, head: number, first: number, second: number): void {
  for (let at = 0; at < log.length; at += 1024) log.set(record(at < head ? first : second, 1, UNMOUNT), at);
}

describe('a log', needsDiskTools(), () => {
  let image: ImageSource;
  before(() => {
    image = imageSource(xfsImage(scratch, 'image', {}));
  });

  async function notesWith(change: (log: Buffer) => void): Promise<string> {
    const superblock = readSuperblock(await image.read(0, 512));
    const budget = new Budget(2 ** 32, 10_000);
    const { start, blocks } = superblock.log;
    const place = blockPlace({ source: image, superblock, budget }, start, blocks, 'log');
    const bytes = Buffer.from(await image.read(place, blocks * superblock.blockSize));
    change(bytes);
    return (await openXfs(patched(image, [{ offset: place, bytes }]), budget)).notes.join();
  }

  test('as mkfs.xfs leaves it is clean', async () => {
    assert.equal(await notesWith(() => undefined), '');
  });

  test('of zeroes is clean', async () => {
    assert.equal(await notesWith((log) => log.fill(0)), '');
  });

  test('with changes behind the last unmount is noted', async () => {
    assert.match(await notesWith((log) => log.set(record(1, 1, 0), 1024)), DIRTY);
    assert.match(await notesWith((log) => log.set(record(1, 7, UNMOUNT), 1024)), DIRTY);
  });

  test('that was unmounted again is clean', async () => {
    const log = Buffer.concat([record(1, 1, 0), record(1, 1, UNMOUNT)]);
    assert.equal(await notesWith((bytes) => bytes.set(log, 1024)), '');
  });

  test('that went round is read from where it was written last', async () => {
    const head = 20_480;
    assert.equal(await notesWith((log) => fill(log, head, 4, 3)), '');
    const last = (log: Buffer): void => log.set(record(4, 1, 0), head - 1024);
    assert.match(
      await notesWith((log) => {
        fill(log, head, 4, 3);
        last(log);
      }),
      DIRTY,
    );
  });

  test('whose rounds are all one is read from its end', async () => {
    assert.equal(await notesWith((log) => fill(log, 0, 3, 3)), '');
    assert.match(
      await notesWith((log) => {
        fill(log, 0, 3, 3);
        log.set(record(3, 1, 0), log.length - 1024);
      }),
      DIRTY,
    );
  });

  test('on another device is noted', async () => {
    const device = join(scratch, 'log-device');
    writeFileSync(device, '');
    truncateSync(device, 64 * 2 ** 20);
    const path = xfsImage(scratch, 'external', {}, ['-l', `logdev=${device}`]);
    const filesystem = await openXfs(imageSource(path), new Budget(2 ** 32, 10_000));
    assert.match(filesystem.notes.join(), /another device/);
  });
});
