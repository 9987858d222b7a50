/** The small languages of loaders: what they mean, and that nothing in them breaks their readers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compareEntries, readCountedName } from '../../src/boot-set/bls/boot-count.ts';
import { readBlsEntry } from '../../src/boot-set/bls/entry.ts';
import { compareAsPackages, compareRpm } from '../../src/boot-set/bls/rpm-order.ts';
import { compareVersions } from '../../src/boot-set/bls/version-order.ts';
import { readBootCsv } from '../../src/boot-set/efi/boot-csv.ts';
import { identify } from '../../src/boot-set/efi/program.ts';
import { readExtlinux } from '../../src/boot-set/extlinux/configuration.ts';
import { readLoaderConf } from '../../src/boot-set/systemd-boot/loader-conf.ts';
import { readOsRelease } from '../../src/boot-set/systemd-boot/os-release.ts';
import { fits } from '../../src/boot-set/systemd-boot/pattern.ts';
import { FormatError } from '../../src/format-error.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { plenty } from './memory-volume.ts';
import { grubProgram, shimProgram, systemdBootProgram } from './programs.ts';

/** Characters that versions are made of. */
const version = fc.string({
  unit: fc.constantFrom('0', '1', '2', '9', 'a', 'Z', '.', '-', '~', '^', '+', '_'),
  maxLength: 8,
});

describe('versions in order', () => {
  // The examples of the specification (UAPI.10), oldest first.
  const specified = [
    '122.1',
    '123~rc1-1',
    '123',
    '123-a',
    '123-a.1',
    '123-1',
    '123-1.1',
    '123^post1',
    '123.a-1',
    '123.1-1',
    '123a-1',
    '124-1',
  ];
  for (const [index, older] of specified.entries())
    for (const newer of specified.slice(index + 1))
      test(`${older} is older than ${newer}`, () => {
        assert.ok(compareVersions(older, newer) < 0);
        assert.ok(compareVersions(newer, older) > 0);
      });

  // RPM's: a tilde before all, more after less, numbers by their value.
  for (const [older, newer] of [
    ['1.0~rc1', '1.0'],
    ['1.0', '1.0.1'],
    ['9', '10'],
    ['1.a', '1.1'],
    ['5.14.0-362.8.1.el9_3', '5.14.0-427.13.1.el9_4'],
  ] as const)
    test(`for RPM ${older} is older than ${newer}`, () => assert.ok(compareRpm(older, newer) < 0));

  test('a rescue entry comes after all versions in the menu', () => {
    assert.ok(compareAsPackages('0123-0-rescue', '0123-5.14.0-427.el9.x86_64') < 0);
  });

  for (const [name, compare] of [
    ['UAPI', compareVersions],
    ['RPM', compareRpm],
    ['package', compareAsPackages],
  ] as const)
    test(`the order of ${name} has two sides and is none with itself`, () => {
      fc.assert(
        fc.property(version, version, (a, b) => {
          assert.equal(compare(a, a), 0);
          assert.equal(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0);
        }),
        { numRuns: 2000 },
      );
    });
});

describe('boot counters', () => {
  test('are read from the name', () => {
    assert.deepEqual(readCountedName('debian-6.12+3-1.conf'), { id: 'debian-6.12.conf', left: 3, done: 1 });
    assert.deepEqual(readCountedName('debian-6.12+3.efi'), { id: 'debian-6.12.efi', left: 3, done: 0 });
    assert.deepEqual(readCountedName('6.12.48+deb13.conf'), { id: '6.12.48+deb13.conf', left: undefined, done: 0 });
  });

  test('a sort key comes before none, whatever the version', () => {
    const keys = { left: undefined, done: 0, machineId: '' };
    const old = { ...keys, id: 'a.conf', sortKey: 'debian', version: '1' };
    const bare = { ...keys, id: 'z-9.conf', sortKey: undefined, version: '9' };
    assert.ok(compareEntries(old, bare) < 0);
  });
});

describe('an entry of the Boot Loader Specification', () => {
  const text = '# comment\ntitle\tA system\noptions a\n\noptions b\nempty\nlinux  /k \n';

  test('keeps keys that come twice', () => {
    const entry = readBlsEntry(text, 'at-end');
    assert.deepEqual(entry.values('options'), ['a', 'b']);
    assert.equal(entry.value('title'), 'A system');
    assert.equal(entry.value('linux'), '/k');
  });

  test('ends at a blank line for GRUB', () => {
    const entry = readBlsEntry(text, 'at-blank');
    assert.deepEqual(entry.values('options'), ['a']);
    assert.equal(entry.value('linux'), undefined);
  });
});

describe('patterns of loader.conf', () => {
  for (const [pattern, name, yes] of [
    ['debian-*', 'debian-6.12.conf', true],
    ['*.conf', 'a.efi', false],
    ['a?c', 'ABC', true],
    ['a[0-9]c', 'a5c', true],
    ['a[0-9]c', 'axc', false],
    ['[', '[', true],
    ['', '', true],
    ['*a*b', 'xxaxxb', true],
  ] as const)
    test(`${pattern} and ${name}: ${yes}`, () => assert.equal(fits(pattern, name), yes));

  test('take time that is bounded', () => {
    assert.equal(fits('*a'.repeat(500), 'a'.repeat(400)), false);
  });
});

describe('whatever is in them', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          'label ',
          'linux ',
          'append ',
          'default ',
          'menu ',
          'include ',
          'text help',
          '\n',
          ' ',
          'x',
          'timeout ',
          '-',
          '"',
          '=',
          '[',
          '*',
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join('')),
  );

  test('readers of text come to an end', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        readBlsEntry(a, 'at-end');
        readBlsEntry(a, 'at-blank');
        readLoaderConf(a);
        readOsRelease(a);
        readCountedName(a);
        readExtlinux(a.split('\n').map((line, index) => ({ text: line, where: `x:${index}` })));
        readBootCsv(Buffer.from(a, 'utf16le'));
        fits(a, b);
      }),
      { numRuns: 1000 },
    );
  });

  for (const [name, program] of [
    ['GRUB', grubProgram('/EFI/debian', 'normal')],
    ['shim', shimProgram()],
    ['systemd-boot', systemdBootProgram()],
  ] as const)
    test(`a damaged program of ${name} is some program, or ends in a typed error`, async () => {
      const edits = fc.array(fc.tuple(fc.nat(0x400), fc.nat(255)), { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(edits, fc.nat(program.length), async (changes, cut) => {
          const bytes = Buffer.from(program);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          for (const each of [bytes, bytes.subarray(0, cut)])
            try {
              await identify(memorySource('program', each), 'x.efi', plenty());
            } catch (error) {
              // Anything else is a defect, and fails with its own stack.
              if (!(error instanceof FormatError)) throw error;
            }
        }),
        { numRuns: 500 },
      );
    });
});
