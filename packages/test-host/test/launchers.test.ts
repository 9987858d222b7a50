import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { writeLaunchers } from '../src/debian/launchers.ts';
import { qemuProgram } from '../src/host/qemu-program.ts';
import { type AssetId, assetFolder, assetPath, findAsset } from '../src/index.ts';

const LIMIT_MS = 60_000;

function needs(id: AssetId): { skip: string | false } {
  return { skip: findAsset(id) === undefined && `${id} not fetched: unpin test-host fetch ${id}` };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unpin launchers '));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A closure whose loader is a script that tells how it was called. */
const closure = (): string => {
  const root = join(folder, 'a closure');
  for (const path of ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'usr/bin'])
    mkdirSync(join(root, path), { recursive: true });
  const loader = join(root, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  writeFileSync(loader, '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  writeFileSync(join(root, 'usr/bin/tool-12'), '');
  return root;
};
const called = (root: string, ...args: string[]): string[] =>
  execFileSync(join(root, 'run/tool'), args, { encoding: 'utf8', cwd: '/' }).trimEnd().split('\n');

const env = { PATH: '/nowhere' };

const run = (id: 'xz' | 'lz4' | 'zstd', args: string[], data: Buffer): Buffer =>
  execFileSync(assetPath(id), args, { input: data, env, timeout: LIMIT_MS });

const gcc = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(assetPath('gcc'), args, {
    env,
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  assert.equal(status, 0, stderr);
  return stdout;
};

const diskTool = (name: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(join(dirname(assetPath('disk-tools')), name), args, {
    env,
    encoding: 'utf8',
    timeout: LIMIT_MS,
    input: '',
  });
  assert.equal(status, 0, `${name}: ${stderr}`);
  return stdout;
};

describe('a launcher', () => {
  test('passes every word as it is, after its own, from wherever its folder is moved to', () => {
    const root = closure();
    const program = /^usr\/bin\/tool-\d+$/;
    writeLaunchers(root, { tool: { program, arguments: '--home "$root/x"' } }, 'tool');
    const moved = join(folder, "else'where");
    renameSync(root, moved);
    assert.deepEqual(called(moved, 'two words', '', '$HOME', '*'), [
      '--library-path',
      `${moved}/lib/x86_64-linux-gnu:${moved}/usr/lib/x86_64-linux-gnu`,
      `${moved}/usr/bin/tool-12`,
      '--home',
      `${moved}/x`,
      'two words',
      '',
      '$HOME',
      '*',
    ]);
  });

  test('names the files of its program that it would else look for on the machine', () => {
    const root = closure();
    writeFileSync(
      join(root, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
      '#!/bin/sh\nprintf "%s\\n" "$TOOL_CONFIG"\n',
    );
    const environment = { TOOL_CONFIG: '$root/etc/tool' };
    writeLaunchers(root, { tool: { program: /^usr\/bin\/tool-\d+$/, environment } }, 'tool');
    assert.deepEqual(called(root), [`${root}/etc/tool`]);
  });

  test('is not written for what is not there', () => {
    const root = closure();
    assert.throws(() => writeLaunchers(root, { tool: { program: /^usr\/bin\/other$/ } }, 'tool'), {
      code: 'ASSET_UNAVAILABLE',
    });
    rmSync(join(root, 'lib'), { recursive: true });
    assert.throws(() => writeLaunchers(root, { tool: { program: /tool/ } }, 'tool'), /no loader/);
  });
});

describe('a fetched program has nothing from the machine but its kernel and a shell', () => {
  for (const id of ['xz', 'lz4', 'zstd'] as const)
    test(`${id} packs and unpacks`, needs(id), () => {
      const input = Buffer.from('a page that moves is a page destroyed; '.repeat(1000));
      const packed = run(id, ['-c'], input);
      assert.ok(packed.length < input.length / 10);
      assert.ok(run(id, ['-dc'], packed).equals(input));
    });

  test("gcc makes a program of its own headers, C library and the kernel's headers", needs('gcc'), () => {
    const source = join(folder, 'size.c');
    const program = join(folder, 'size');
    const text = `#include <linux/kvm.h>\n#include <stdio.h>
      int main(void) { printf("%zu\\n", sizeof(struct kvm_regs)); return 0; }\n`;
    writeFileSync(source, text);
    gcc('-O2', '-Wall', '-Werror', '-static', source, '-o', program);
    assert.equal(execFileSync(program, { encoding: 'utf8' }), '144\n');
    const headers = gcc('-M', source)
      .split(/[\s\\]+/)
      .filter((path) => path.endsWith('.h'));
    assert.ok(headers.some((path) => path.endsWith('/linux/kvm.h')));
    const root = realpathSync(assetFolder('gcc'));
    assert.deepEqual(
      headers.filter((path) => !realpathSync(path).startsWith(root)),
      [],
    );
  });

  describe('the tools of disks', needs('disk-tools'), () => {
    test('qemu-img makes an image of clusters packed by zstd', () => {
      const image = join(folder, 'disk.qcow2');
      diskTool('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'compression_type=zstd', image, '4M');
      assert.match(diskTool('qemu-img', 'info', image), /compression type: zstd/);
    });

    test('sfdisk writes a table', () => {
      const image = join(folder, 'disk');
      writeFileSync(image, '');
      truncateSync(image, 2 ** 22);
      const sfdisk = join(dirname(assetPath('disk-tools')), 'sfdisk');
      const input = 'label: gpt\n,\n';
      execFileSync(sfdisk, ['--quiet', '--no-tell-kernel', image], { input, env, timeout: LIMIT_MS });
      assert.match(diskTool('sfdisk', '--dump', image), /label: gpt/);
    });

    test('mke2fs fills a file system by its own configuration, debugfs reads it', () => {
      const tree = join(folder, 'tree');
      mkdirSync(tree);
      writeFileSync(join(tree, 'hello'), 'world');
      const image = join(folder, 'ext4');
      diskTool('mke2fs', '-q', '-t', 'ext4', '-d', tree, image, '8M');
      assert.equal(diskTool('debugfs', '-R', 'cat /hello', image), 'world');
      assert.match(diskTool('debugfs', '-R', 'features', image), /has_journal.* metadata_csum/);
    });

    test('mkfs.xfs and xfs_db agree on a file system', () => {
      const image = join(folder, 'xfs');
      diskTool('mkfs.xfs', '-q', '-d', `file,name=${image},size=300m`);
      assert.match(diskTool('xfs_db', '-r', '-c', 'sb', '-c', 'print magicnum', image), /0x58465342/);
    });

    test('mkfs.vfat, mmd and mcopy fill a FAT with names beyond ASCII', () => {
      const image = join(folder, 'fat');
      diskTool('mkfs.vfat', '-C', image, '1440');
      diskTool('mmd', '-i', image, '::/EFI');
      writeFileSync(join(folder, 'größe.txt'), 'hello');
      diskTool('mcopy', '-i', image, join(folder, 'größe.txt'), '::/EFI/');
      assert.equal(diskTool('mcopy', '-i', image, '::/EFI/größe.txt', '-'), 'hello');
    });

    test('lzop, bzip2 and tar pack', () => {
      const file = join(folder, 'file');
      writeFileSync(file, 'zeros'.repeat(1000));
      diskTool('lzop', file);
      diskTool('bzip2', '--keep', file);
      diskTool('tar', '--create', '-C', folder, '-f', join(folder, 'all.tar'), 'file.lzo', 'file.bz2');
      assert.equal(diskTool('tar', '--list', '-f', join(folder, 'all.tar')), 'file.lzo\nfile.bz2\n');
    });
  });

  test('QEMU has the loader that its C library was built with', needs('qemu'), () => {
    const root = realpathSync(assetFolder('qemu'));
    const { loader, libraries } = qemuProgram(root);
    assert.ok(realpathSync(loader).startsWith(root), realpathSync(loader));
    assert.ok(libraries.includes(dirname(realpathSync(loader))));
  });
});
