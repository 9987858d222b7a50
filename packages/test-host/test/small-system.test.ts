import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { settle, writeSystemLaunchers } from '../src/debian/small-system.ts';

const LIMIT_MS = 60_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unpin system '));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A package of one file and one link. */
function deb(name: string, more = ''): string {
  const tree = join(folder, `${name}.tree`);
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  writeFileSync(
    join(tree, 'DEBIAN/control'),
    `Package: ${name}\nVersion: 1.2-3\nArchitecture: amd64\n${more}Maintainer: Nobody <n@example.org>\nDescription: a package\n of two lines\n`,
  );
  writeFileSync(join(tree, 'usr/bin', `${name} with words`), '#!/bin/sh\n');
  execFileSync('ln', ['-s', `${name} with words`, join(tree, 'usr/bin', `${name}-link`)]);
  const path = join(folder, `${name}.deb`);
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', tree, path], { timeout: LIMIT_MS });
  return path;
}

describe('a small system', () => {
  test('has its packages on record, as dpkg reads it', async () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'sbin'), { recursive: true });
    mkdirSync(join(root, 'etc'));
    mkdirSync(join(root, 'usr/share/base-passwd'), { recursive: true });
    writeFileSync(join(root, 'sbin/ldconfig'), '#!/bin/sh\necho "$@" > "$2/etc/ld.so.cache"\n', { mode: 0o755 });
    writeFileSync(join(root, 'usr/share/base-passwd/passwd.master'), 'root:*:0:0:root:/root:/bin/bash\n');
    await settle(root, [deb('one'), deb('two', 'Multi-Arch: same\n')]);
    const query = (...args: string[]): string =>
      execFileSync('dpkg-query', ['--admindir', join(root, 'var/lib/dpkg'), ...args], {
        encoding: 'utf8',
        timeout: LIMIT_MS,
      });
    assert.equal(
      query('--show', '--showformat', '${Package} ${Version} ${db:Status-Status}\n'),
      'one 1.2-3 installed\ntwo 1.2-3 installed\n',
    );
    assert.deepEqual(query('--listfiles', 'one').trimEnd().split('\n'), [
      '/.',
      '/usr',
      '/usr/bin',
      '/usr/bin/one with words',
      '/usr/bin/one-link',
    ]);
    assert.match(query('--listfiles', 'two:amd64'), /^\/usr\/bin\/two-link$/m);
    assert.equal(readFileSync(join(root, 'etc/ld.so.cache'), 'utf8'), `-r ${root}\n`);
    assert.ok(existsSync(join(root, 'etc/passwd')));
  });

  test('has launchers that a shell can read', () => {
    writeSystemLaunchers(folder, ['tool'], { NAME: 'value' });
    const launcher = join(folder, 'run/tool');
    execFileSync('/bin/sh', ['-n', launcher]);
    assert.match(readFileSync(launcher, 'utf8'), /NAME=value tool "\$@"/);
  });
});
