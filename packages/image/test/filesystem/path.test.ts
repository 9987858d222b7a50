import assert from 'node:assert/strict';
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Filesystem } from '../../src/filesystem/filesystem.ts';
import { glob, listNames, matches } from '../../src/filesystem/glob.ts';
import { locate, readSmallFile, walk } from '../../src/filesystem/path.ts';
import { scratchFolder } from '../scratch.ts';
import { memoryFilesystem, type Tree } from './memory-filesystem.ts';

const scratch = scratchFolder();

const filesystem = memoryFilesystem({
  vmlinuz: ['boot/vmlinuz'],
  boot: {
    vmlinuz: ['vmlinuz-2'],
    'vmlinuz-1': 'one',
    'vmlinuz-2': 'two',
    '.hidden': 'hidden',
    grub: { 'grub.cfg': 'menu', kernel: ['/boot/vmlinuz-1'] },
    boot: ['.'],
    up: ['../../../boot/vmlinuz-1'],
    absolute: ['/boot/vmlinuz-1'],
    loop: ['loop'],
    nowhere: ['/none'],
    slash: ['vmlinuz-1/'],
  },
  a: ['b'],
  b: ['a'],
});

async function reached(path: string, followLast = true): Promise<string | undefined> {
  return (await locate(filesystem, path, { followLast }))?.path;
}

/** A file and links to it, each to the one before. */
function chain(links: number): Filesystem {
  const tree: Record<string, Tree> = { '0': 'end' };
  for (let link = 1; link <= links; link++) tree[`${link}`] = [`${link - 1}`];
  return memoryFilesystem(tree);
}

async function found(pattern: string): Promise<string[]> {
  return (await glob(filesystem, pattern)).map(({ path, node }) => `${path} ${node.kind}`);
}

describe('a path', () => {
  for (const [path, place] of [
    ['/', '/'],
    ['', '/'],
    ['.', '/'],
    ['/../..', '/'],
    ['/boot/vmlinuz-1', '/boot/vmlinuz-1'],
    ['boot//./vmlinuz-1', '/boot/vmlinuz-1'],
    ['/boot/grub/../vmlinuz-1', '/boot/vmlinuz-1'],
    ['/boot/../../../boot/vmlinuz-1', '/boot/vmlinuz-1'],
    ['/vmlinuz', '/boot/vmlinuz-2'],
    ['/boot/boot/boot/vmlinuz', '/boot/vmlinuz-2'],
    ['/boot/up', '/boot/vmlinuz-1'],
    ['/boot/boot/up', '/boot/vmlinuz-1'],
    ['/boot/absolute', '/boot/vmlinuz-1'],
    ['/boot/grub/kernel', '/boot/vmlinuz-1'],
    ['/boot/grub/', '/boot/grub'],
    ['/boot/vmlinuz-1/', undefined],
    ['/boot/vmlinuz-1/..', undefined],
    ['/boot/slash', undefined],
    ['/boot/nowhere', undefined],
    ['/none', undefined],
    ['/BOOT', undefined],
    ['\\boot\\vmlinuz-1', undefined],
  ] as const)
    test(`'${path}' leads to ${place ?? 'nothing'}`, async () => assert.equal(await reached(path), place));

  test('ends at a link that is not to be followed, after those before it', async () => {
    assert.equal(await reached('/vmlinuz', false), '/vmlinuz');
    assert.equal(await reached('/boot/boot/nowhere', false), '/boot/nowhere');
    assert.equal((await walk(filesystem, '/boot/nowhere', { followLast: false }))?.kind, 'symlink');
  });

  test('into links without end is a cycle', async () => {
    for (const path of ['/boot/loop', '/a', '/b/c'])
      await assert.rejects(walk(filesystem, path), { name: 'FormatError', kind: 'cycle' });
  });

  test('may go through 40 links and not 41', async () => {
    assert.equal((await walk(chain(40), '40'))?.kind, 'file');
    await assert.rejects(walk(chain(41), '41'), { kind: 'cycle' });
  });

  test('longer than any system follows is malformed, also in a link', async () => {
    await assert.rejects(walk(filesystem, '/'.repeat(5000)), { name: 'FormatError', kind: 'malformed' });
    const long = memoryFilesystem({ long: ['./'.repeat(3000)] });
    await assert.rejects(walk(long, 'long'), { name: 'FormatError', kind: 'malformed' });
  });

  test('on FAT has no case, and backslashes part it', async () => {
    const fat = memoryFilesystem({ EFI: { Boot: { 'bootx64.efi': 'loader' } } }, true);
    assert.equal((await walk(fat, '\\EFI\\BOOT\\BOOTX64.EFI'))?.kind, 'file');
    assert.deepEqual(await listNames(fat, '/efi/boot', '*.EFI'), ['bootx64.efi']);
  });
});

test('any path leads where this system says, in a tree whose links stay inside', async () => {
  const folder = join(scratch, 'tree');
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  mkdirSync(join(folder, 'c'));
  writeFileSync(join(folder, 'a/f'), '');
  symlinkSync('../c', join(folder, 'a/l'));
  symlinkSync('../a/b', join(folder, 'c/m'));
  symlinkSync('l/m/..', join(folder, 'a/n'));
  const tree = memoryFilesystem({ a: { b: {}, f: '', l: ['../c'], n: ['l/m/..'] }, c: { m: ['../a/b'] } });
  const name = fc.constantFrom('a', 'b', 'c', 'f', 'l', 'm', 'n', '.', '..', '');
  await fc.assert(
    fc.asyncProperty(fc.array(name, { maxLength: 10 }), async (names) => {
      const path = names.join('/');
      // Above its folder this system goes on.
      fc.pre(!escapes(folder, names));
      const full = `${folder}/${path}`;
      const expected = existsSync(full) ? realpathSync.native(full).slice(folder.length) || '/' : undefined;
      assert.equal((await locate(tree, path))?.path, expected);
    }),
    { numRuns: 500 },
  );
});

function escapes(folder: string, names: readonly string[]): boolean {
  return names.some((_, end) => {
    const part = `${folder}/${names.slice(0, end + 1).join('/')}`;
    return existsSync(part) && !`${realpathSync.native(part)}/`.startsWith(`${folder}/`);
  });
}

describe('a small file', () => {
  test('is read through links', async () => {
    assert.equal(Buffer.from((await readSmallFile(filesystem, '/vmlinuz', 100)) ?? []).toString(), 'two');
  });
  test('is undefined where there is none, or a directory', async () => {
    assert.equal(await readSmallFile(filesystem, '/none', 100), undefined);
    assert.equal(await readSmallFile(filesystem, '/boot', 100), undefined);
  });
  test('larger than allowed is refused', async () => {
    await assert.rejects(readSmallFile(filesystem, '/vmlinuz', 2), { name: 'FormatError', kind: 'over-budget' });
  });
});

describe('a pattern', () => {
  test('finds files, and links that lead to one', async () => {
    assert.deepEqual(await found('/boot/vmlinuz*'), [
      '/boot/vmlinuz file',
      '/boot/vmlinuz-1 file',
      '/boot/vmlinuz-2 file',
    ]);
    assert.deepEqual(await found('boot/n*'), []);
    assert.deepEqual(await found('/*/grub/grub.???'), ['/boot/grub/grub.cfg file']);
    assert.deepEqual(await found('/none/*'), []);
    assert.deepEqual(await found('/boot/.*'), ['/boot/.hidden file']);
    assert.deepEqual(await found('/boot/lo*'), []);
  });

  test('matches names as the equal regular expression does', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '.');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 10 }),
        (p, n) => {
          const [pattern, name] = [p.join(''), n.join('')];
          const expression = new RegExp(
            `^${pattern.replaceAll('.', '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`,
          );
          const hidden = name.startsWith('.') && !pattern.startsWith('.');
          assert.equal(matches(pattern, name, false), expression.test(name) && !hidden);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
