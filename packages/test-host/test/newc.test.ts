import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type CpioEntry, cpioArchive } from '../src/initrd/newc.ts';
import { unpackCpio } from './unpack-cpio.ts';

describe('a newc archive', () => {
  test('gives back every entry that went in, in order', () => {
    const entries: CpioEntry[] = [
      { kind: 'directory', path: 'dev', mode: 0o755 },
      { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
      { kind: 'file', path: 'init', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
      { kind: 'symlink', path: 'sbin', target: 'bin' },
    ];
    assert.deepEqual(
      unpackCpio(cpioArchive(entries)).map(({ path, mode, data, major, minor }) => [path, mode, data, major, minor]),
      [
        ['dev', 0o040755, '', 0, 0],
        ['dev/console', 0o020600, '', 5, 1],
        ['init', 0o100755, '#!/bin/sh\n', 0, 0],
        ['sbin', 0o120777, 'bin', 0, 0],
      ],
    );
  });

  test('survives any names and contents, and ends on a block', () => {
    const file = fc.record({
      path: fc.stringMatching(/^[a-zA-Zäß][ -.0-~]{0,40}$/),
      data: fc.uint8Array({ maxLength: 70 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: ({ path }) => path }), (files) => {
        const archive = cpioArchive(files.map((each) => ({ kind: 'file', ...each })));
        assert.equal(archive.length % 512, 0);
        const back = unpackCpio(archive);
        assert.deepEqual(
          back.map(({ path, raw }) => [path, raw]),
          files.map(({ path, data }) => [path, Buffer.from(data)]),
        );
        assert.equal(new Set(back.map(({ inode }) => inode)).size, files.length);
      }),
    );
  });

  test('is the same for the same entries', () => {
    const entries: CpioEntry[] = [{ kind: 'file', path: 'a', data: Buffer.from('b') }];
    assert.deepEqual(cpioArchive(entries), cpioArchive(entries));
  });

  for (const path of ['/etc/passwd', '', 'a/../b', '..', 'a\0b', 'TRAILER!!!'])
    test(`refuses the path ${JSON.stringify(path)}`, () => {
      assert.throws(() => cpioArchive([{ kind: 'directory', path }]), RangeError);
    });
});
