/** A tree of files on this machine, and whether a filesystem holds the same one. */
import assert from 'node:assert/strict';
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FileNode, Filesystem } from '../../src/filesystem/filesystem.ts';

/** Bytes that look random and are the same each time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Files of every size and shape that a filesystem keeps in its own way. */
export function makeTree(folder: string): void {
  mkdirSync(join(folder, 'boot/grub'), { recursive: true });
  writeFileSync(join(folder, 'boot/vmlinuz-6.12'), noise(3_000_001, 7));
  symlinkSync('vmlinuz-6.12', join(folder, 'boot/vmlinuz'));
  symlinkSync('/boot/vmlinuz', join(folder, 'vmlinuz'));
  writeFileSync(join(folder, 'boot/grub/grub.cfg'), 'linux /vmlinuz root=/dev/vda1\n');
  mkdirSync(join(folder, 'sizes'));
  for (const size of [
    0,
    1,
    59,
    60,
    61,
    100,
    150,
    1023,
    1024,
    1025,
    4095,
    4096,
    4097,
    12 * 1024,
    12 * 1024 + 1,
    300_000,
  ])
    writeFileSync(join(folder, 'sizes', `${size}`), noise(size, size + 1));
  mkdirSync(join(folder, 'links'));
  for (const length of [1, 58, 59, 60, 61, 150, 1000, 1023])
    symlinkSync('x/'.repeat(length).slice(0, length), join(folder, 'links', `${length}`));
  mkdirSync(join(folder, 'names'));
  for (const name of ['a', 'n'.repeat(255), 'Grüße', '日本語', ' ', '\\', '.hidden', '...'])
    writeFileSync(join(folder, 'names', name), name);
  mkdirSync(join(folder, 'many'));
  for (let number = 0; number < 600; number++)
    writeFileSync(join(folder, 'many', `file number ${number}`), `${number}`);
  // As many as leave the last with a block of 64 KiB of its own.
  mkdirSync(join(folder, 'wide'));
  for (let number = 0; number < 249; number++) symlinkSync('x', join(folder, 'wide', `${number}`.padStart(255, '_')));
  mkdirSync(join(folder, 'empty'));
  mkdirSync(join(folder, 'a/b/c/d/e'), { recursive: true });
  writeFileSync(join(folder, 'a/b/c/d/e/f'), 'deep');
}

/** A file with a page of data at each of the places, and holes between them and up to its size. */
export function writeSparse(path: string, size: number, places: readonly number[]): void {
  writeFileSync(path, '');
  truncateSync(path, size);
  const file = openSync(path, 'r+');
  for (const place of places) writeSync(file, noise(4096, place + 1), 0, 4096, place);
  closeSync(file);
}

/** @throws AssertionError unless the filesystem holds the folder's files, no more (but lost+found) and no less */
export async function assertSame(
  filesystem: Filesystem,
  folder: string,
  node: FileNode = filesystem.root,
): Promise<void> {
  const entries = (await filesystem.list(node)).filter(
    ({ name }) => node.id !== filesystem.root.id || name !== 'lost+found',
  );
  assert.deepEqual(entries.map((entry) => entry.name).sort(), readdirSync(folder).sort(), folder);
  for (const { name, node } of entries) {
    const path = join(folder, name);
    const status = lstatSync(path);
    if (status.isDirectory()) {
      assert.equal(node.kind, 'directory', path);
      await assertSame(filesystem, path, node);
    } else if (status.isSymbolicLink()) {
      assert.equal(node.kind, 'symlink', path);
      assert.equal(await filesystem.readLink(node), readlinkSync(path), path);
    } else {
      assert.equal(node.kind, 'file', path);
      assert.equal(node.size, status.size, path);
      const source = await filesystem.open(node);
      assert.equal(source.size, status.size, path);
      assert.ok(Buffer.from(await source.read(0, status.size)).equals(readFileSync(path)), `content of ${path}`);
    }
  }
  // The other way into a directory.
  for (const { name, node: listed } of entries.slice(0, 10))
    assert.deepEqual(await filesystem.find(node, name), listed);
  assert.equal(await filesystem.find(node, 'no such name'), undefined);
}
