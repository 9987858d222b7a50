import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ModuleFormatError, readModinfo } from '../src/host/modinfo.ts';

/** The smallest ELF64 file with a .modinfo section: header, contents, three section headers. */
function moduleFile(modinfo: string): Buffer {
  const names = Buffer.from('\0.modinfo\0.shstrtab\0');
  const text = Buffer.from(modinfo);
  const table = 64 + text.length + names.length;
  const file = Buffer.alloc(table + 3 * 64);
  file.write('\x7fELF', 0, 'latin1');
  file.writeUInt8(2, 4);
  file.writeUInt32LE(table, 0x28);
  file.writeUInt16LE(64, 0x3a);
  file.writeUInt16LE(3, 0x3c);
  file.writeUInt16LE(2, 0x3e);
  text.copy(file, 64);
  names.copy(file, 64 + text.length);
  for (const [index, name, offset, size] of [
    [1, 1, 64, text.length],
    [2, 10, 64 + text.length, names.length],
  ] as const) {
    file.writeUInt32LE(name, table + index * 64);
    file.writeUInt32LE(offset, table + index * 64 + 0x18);
    file.writeUInt32LE(size, table + index * 64 + 0x20);
  }
  return file;
}

describe('what a module says of itself', () => {
  test('is its name and what it depends on', () => {
    const file = moduleFile('license=GPL\0depends=kvm,ccp\0retpoline=Y\0name=kvm_amd\0');
    assert.deepEqual(readModinfo(file), { name: 'kvm_amd', depends: ['kvm', 'ccp'] });
  });

  test('may be that it depends on nothing', () => {
    assert.deepEqual(readModinfo(moduleFile('depends=\0name=irqbypass\0')).depends, []);
  });

  test('writes dashes as underscores', () => {
    assert.deepEqual(readModinfo(moduleFile('depends=sha1-ssse3\0name=a-b\0')), {
      name: 'a_b',
      depends: ['sha1_ssse3'],
    });
  });

  test('is refused where the file is cut short or changed, never misread into a crash', () => {
    const whole = moduleFile('depends=kvm\0name=kvm_amd\0');
    const damaged = fc.record({ cut: fc.nat(whole.length), at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(damaged, ({ cut, at, byte }) => {
        const file = Buffer.from(whole);
        file[at] = byte;
        try {
          readModinfo(file.subarray(0, cut));
        } catch (error) {
          assert.ok(error instanceof ModuleFormatError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
