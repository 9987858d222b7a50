import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ASSETS, assetsNamed } from '../src/debian/assets.ts';
import { parseMadison, parseSimulation } from '../src/debian/private-apt.ts';
import { exactDependency, newestOffer } from '../src/debian/resolve.ts';
import { DEFAULT_MIRROR, mirrorOf, sourcesList } from '../src/debian/suites.ts';
import { compareVersions } from '../src/debian/version.ts';

describe("Debian's order of versions", () => {
  // Oldest first: epochs, tildes, letters, numbers that are longer.
  const ORDER = [
    '5.10.223-1',
    '5.10.262-1',
    '6.1.99-1',
    '6.1.192-2',
    '6.12.95-1~bpo12+1',
    '6.12.95-1',
    '7.3~rc7-1~exp1',
    '7.3.4-1~bpo13+1',
    '1:1.35.0-4+deb12u1',
    '1:1.35.0-4+deb12u1+b1',
    '1:7.2+dfsg-7+deb12u18+b3',
    '1:10.0.2+ds-2',
  ];
  test('sorts what the suites offer', () => {
    assert.deepEqual(ORDER.toReversed().sort(compareVersions), ORDER);
  });

  test('is the order of dpkg', (t) => {
    if (spawnSync('dpkg', ['--version']).error !== undefined) return t.skip('this machine has no dpkg');
    const version = fc.stringMatching(/^[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-zA-Z.+~]{1,5})?$/);
    fc.assert(
      fc.property(version, version, (a, b) => {
        const operator = { '-1': 'lt', '0': 'eq', '1': 'gt' }[String(Math.sign(compareVersions(a, b)))] ?? '';
        const { status, stderr } = spawnSync('dpkg', ['--compare-versions', a, operator, b], { encoding: 'utf8' });
        assert.equal(status, 0, `${a} ${operator} ${b} ${stderr}`);
      }),
      { numRuns: 200 },
    );
  });
});

function named(id: keyof typeof ASSETS, name: string): boolean {
  const { source } = ASSETS[id];
  return source.kind === 'packages' && source.name.test(name);
}

describe('a package is found by the pattern of its name', () => {
  test('whatever its version and however its suite marks it', () => {
    assert.ok(named('kernel-5.10-cloud', 'linux-image-5.10.0-46-cloud-amd64'));
    assert.ok(named('kernel-6.1-cloud', 'linux-image-6.1.0-56-cloud-amd64'));
    assert.ok(named('kernel-6.12-cloud', 'linux-image-6.12.117+deb12-cloud-amd64'));
    assert.ok(named('host-6.12', 'linux-image-6.12.90+deb12.1-amd64'));
    assert.ok(named('host-newest', 'linux-image-7.3.4+deb13-amd64'));
  });

  test('and never another flavour, a debug or an unsigned image, a metapackage', () => {
    for (const name of [
      'linux-image-6.12.1+deb12-rt-amd64',
      'linux-image-6.12.1+deb12-cloud-amd64',
      'linux-image-6.12-amd64',
    ])
      assert.ok(!named('host-6.12', name) && !named('host-newest', name), name);
    for (const name of ['linux-image-6.1.0-5-cloud-amd64-dbg', 'linux-image-6.1.0-5-cloud-amd64-unsigned'])
      assert.ok(!named('kernel-6.1-cloud', name), name);
    assert.ok(!named('kernel-6.1-cloud', 'linux-image-6.12.1-1-cloud-amd64'));
  });

  test('whether it is installed, split from its modules, or of an installer', () => {
    assert.ok(named('image-bookworm-rt', 'linux-image-6.1.0-56-rt-amd64'));
    assert.ok(!named('image-bookworm-rt', 'linux-image-6.1.0-56-amd64'));
    assert.ok(named('image-sid-cloud', 'linux-binary-7.2.13+deb14-cloud-amd64'));
    assert.ok(!named('image-sid-amd64', 'linux-binary-7.2.13+deb14-cloud-amd64'));
    assert.ok(!named('image-sid-amd64', 'linux-binary-unsigned-7.2.13+deb14-amd64'));
    assert.ok(named('image-trixie-amd64', 'kernel-image-6.12.107+deb13-amd64-di'));
    assert.ok(named('image-bullseye-686', 'linux-image-5.10.0-32-686'));
    assert.ok(!named('image-bullseye-686', 'linux-image-5.10.0-32-686-pae'));
  });

  test('in its newest version', () => {
    const offers = ['6.12.95-1~bpo12+1', '6.12.117-1~deb12u1', '6.12.99-1'].map((version) => ({
      name: 'linux',
      version,
    }));
    assert.equal(newestOffer(offers)?.version, '6.12.117-1~deb12u1');
    assert.equal(newestOffer([]), undefined);
  });
});

describe('a word', () => {
  test('stands for one asset, or for a group of them', () => {
    assert.deepEqual(assetsNamed('nasm'), ['nasm']);
    assert.ok(assetsNamed('image-kernels')?.includes('image-sid-amd64'));
    assert.equal(assetsNamed('toString'), undefined);
  });
});

describe("apt's words", () => {
  test('of versions are read', () => {
    const table = ' nasm |  2.16.01-1 | http://deb.debian.org/debian bookworm/main amd64 Packages\n';
    assert.deepEqual(parseMadison(table), [{ name: 'nasm', version: '2.16.01-1' }]);
    assert.deepEqual(parseMadison(''), []);
  });

  test('of what it would install are read', () => {
    const text =
      'NOTE: This is only a simulation!\nInst gcc-12-base (12.2.0-14 Debian:12/stable [amd64])\nConf gcc-12-base (12.2.0-14)\n';
    assert.deepEqual(parseSimulation(text), [{ name: 'gcc-12-base', version: '12.2.0-14' }]);
  });

  test('of an exact dependency are read, of any other not', () => {
    assert.deepEqual(exactDependency('linux-modules-7.3.4 (= 7.3.4-1~bpo13+1)'), {
      name: 'linux-modules-7.3.4',
      version: '7.3.4-1~bpo13+1',
    });
    assert.equal(exactDependency('kmod'), undefined);
    assert.equal(exactDependency('kmod (>= 30)'), undefined);
  });
});

describe('the mirror', () => {
  test("is that of the machine's own apt", () => {
    const mirror = mirrorOf(['https://mirror.example/nodesource/', 'https://mirror.example/debian/', '']);
    assert.equal(mirror.debian, 'https://mirror.example/debian');
    assert.equal(mirror['debian-security'], DEFAULT_MIRROR['debian-security']);
  });

  test('is trusted only with the key', () => {
    for (const line of sourcesList('bookworm', DEFAULT_MIRROR, '/keys.gpg').trim().split('\n'))
      assert.match(line, /^deb \[arch=amd64 signed-by=\/keys\.gpg\] http\S+ bookworm\S* main$/);
    for (const line of sourcesList('i386', DEFAULT_MIRROR, '/keys.gpg').trim().split('\n'))
      assert.match(line, /^deb \[arch=i386 signed-by=\/keys\.gpg\] http\S+ b\w+ main$/);
  });
});
