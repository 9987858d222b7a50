import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TINY_INIT_LINE, tinyInit, tinyInitrd } from '../src/index.ts';

describe('the smallest user space', () => {
  test('is an ELF executable whose entry lies behind its headers and which carries its line', () => {
    const elf = tinyInit();
    assert.deepEqual([...elf.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
    const entry = Number(elf.readBigUInt64LE(24)) - Number(elf.readBigUInt64LE(64 + 16));
    assert.equal(entry, 64 + 56);
    assert.equal(elf.subarray(-TINY_INIT_LINE.length).toString(), TINY_INIT_LINE);
    assert.equal(Number(elf.readBigUInt64LE(64 + 32)), elf.length);
  });

  test('is packed as process 1, with a console to write to', () => {
    const archive = tinyInitrd();
    assert.ok(archive.includes('init\0') && archive.includes('dev/console\0') && archive.includes(tinyInit()));
  });
});
