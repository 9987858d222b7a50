import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { busyboxInitrd, SHELL_INIT } from '../src/initrd/busybox-initrd.ts';
import { unpackCpio } from './unpack-cpio.ts';

const busybox = Buffer.from('\x7fELF, so to say');

describe('a busybox initrd', () => {
  test('has what the kernel needs before init can mount anything', () => {
    const entries = new Map(unpackCpio(busyboxInitrd({ busybox })).map((entry) => [entry.path, entry]));
    const console = entries.get('dev/console');
    assert.deepEqual([console?.mode, console?.major, console?.minor], [0o020600, 5, 1]);
    assert.deepEqual([entries.get('init')?.mode, entries.get('init')?.data], [0o100755, SHELL_INIT]);
    assert.deepEqual(entries.get('bin/busybox')?.raw, busybox);
    assert.equal(entries.get('bin/sh')?.data, 'busybox');
  });

  test('carries extra files, making their folders first and once', () => {
    const data = Buffer.from('x');
    const files = ['opt/unpin/a', 'opt/unpin/b', 'sbin/c'].map((path) => ({ path, data }));
    const paths = unpackCpio(busyboxInitrd({ busybox, init: '#!/bin/sh\nexec sh\n', files })).map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length, 'no path twice');
    for (const path of paths) {
      const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
      if (parent !== '') assert.ok(paths.indexOf(parent) >= 0 && paths.indexOf(parent) < paths.indexOf(path), path);
    }
    assert.ok(paths.includes('opt/unpin/b'));
  });

  test('powers off when the shell ends', () => {
    assert.match(SHELL_INIT, /^setsid setsid cttyhack sh -c 'sh -i; poweroff -f'$/m);
  });
});
