import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { extractKernel, FormatError, unpackKernel } from '../src/index.ts';
import { bzImage, withSize } from './synthetic/bz-image.ts';
import { syntheticKernel, TEXT } from './synthetic/kernel.ts';

const vmlinux = syntheticKernel();
const file = bzImage(withSize(zstdCompressSync(vmlinux), vmlinux.length));

describe('a bzImage', () => {
  test('gives the vmlinux inside, where its segments load, and where it starts', () => {
    const kernel = extractKernel(file);
    assert.equal(kernel.container, 'bzimage');
    assert.equal(kernel.payload, 'zstd');
    assert.equal(kernel.entry, 0x1000000);
    assert.deepEqual(
      kernel.segments.map(({ vaddr, paddr, memsz, bytes }) => [vaddr, paddr, memsz === bytes.length ? 'full' : memsz]),
      [
        [TEXT, 0x1000000, 0x100000],
        [TEXT + 0x100000n, 0x1100000, 0x100000],
        [TEXT + 0x300000n, 0x1300000, 0x100000],
        [TEXT + 0x280000n, 0x1280000, 'full'],
      ],
    );
    assert.ok(kernel.segments.every(({ bytes, memsz }) => bytes.length > 0 && bytes.length <= memsz));
    assert.equal(kernel.banner.release, '6.0-test');
    assert.equal(kernel.banner.text, 'Linux version 6.0-test (nobody@nowhere) (gcc 1.0) #1 SMP');
  });

  test('gives the setup header for boot_params, from 0x1f1 to its own end', () => {
    const { setup } = extractKernel(file);
    assert.ok(setup);
    assert.equal(setup.header.length, 0x26c - 0x1f1);
    assert.deepEqual(Buffer.from(setup.header.subarray(0x202 - 0x1f1, 0x206 - 0x1f1)).toString(), 'HdrS');
    assert.equal(setup.protocol, 0x020f);
    assert.equal(setup.initSize, 0x400000);
    assert.equal(setup.prefAddress, 0x1000000);
    assert.equal(setup.commandLineSize, 2047);
    assert.equal(setup.claimedVersion, '6.0-test (nobody) #1');
  });

  test('before protocol 2.10 states neither init_size nor pref_address', () => {
    const { setup } = unpackKernel(bzImage(withSize(zstdCompressSync(vmlinux), vmlinux.length), { protocol: 0x0209 }));
    assert.equal(setup?.initSize, undefined);
    assert.equal(setup?.prefAddress, undefined);
  });

  test('with setup_sects 0 has four setup sectors', () => {
    const four = bzImage(withSize(zstdCompressSync(vmlinux), vmlinux.length), { setupSectors: 4 });
    four[0x1f1] = 0;
    assert.equal(extractKernel(four).entry, 0x1000000);
  });
});

describe('a raw ELF vmlinux', () => {
  test('is its own image', () => {
    const kernel = extractKernel(vmlinux);
    assert.equal(kernel.container, 'elf');
    assert.equal(kernel.payload, 'none');
    assert.equal(kernel.setup, undefined);
    assert.equal(kernel.segments.length, 4);
  });

  test('may have lost its section table', () => {
    assert.equal(extractKernel(syntheticKernel({ sections: false })).elf.sections.length, 0);
  });
});

describe('what is no kernel for here is refused with its kind', () => {
  const cases: readonly [string, Buffer, string, RegExp][] = [
    ['an empty file', Buffer.alloc(0), 'not-a-kernel', /neither an ELF nor a bzImage/],
    ['text', Buffer.from('#!/bin/sh\n'.repeat(100)), 'not-a-kernel', /neither/],
    ['an old boot protocol', bzImage(file, { protocol: 0x0207 }), 'unsupported', /2\.07/],
    ['a zImage', bzImage(file, { loadFlags: 0 }), 'unsupported', /zImage/],
    ['HdrS without a payload, as memtest86+ has it', bzImage(Buffer.alloc(0)), 'not-a-kernel', /no payload/],
    ['an ELF without a banner', syntheticKernel({ banner: undefined }), 'not-a-kernel', /Linux version/],
    ['a payload that is cut off', file.subarray(0, -1), 'truncated', /payload/],
    ['an unknown payload', bzImage(Buffer.alloc(100, 0xee)), 'unsupported', /magic eeee/],
    ['a 32-bit kernel', thirtyTwoBit(), 'not-64-bit', /32-bit/],
    ['an ELF for another machine', machine(183), 'not-a-kernel', /machine 183/],
  ];
  for (const [name, bytes, kind, message] of cases)
    test(name, () => {
      assert.throws(
        () => extractKernel(bytes),
        (error) => error instanceof FormatError && error.kind === kind && message.test(error.message),
      );
    });

  test('an image above the limit', () => {
    assert.throws(
      () => extractKernel(file, { imageLimit: vmlinux.length - 1 }),
      (error) => error instanceof FormatError && error.kind === 'over-budget',
    );
    assert.equal(extractKernel(file, { imageLimit: vmlinux.length }).entry, 0x1000000);
  });

  test('a segment or section that leads out of the file', () => {
    for (const [offset, what] of [
      [64 + 8, 'program header 0'],
      [64 + 32, 'program header 0'],
    ] as const) {
      const broken = Buffer.from(vmlinux);
      broken.writeBigUInt64LE(BigInt(vmlinux.length), offset);
      assert.throws(
        () => extractKernel(broken),
        (error) => error instanceof FormatError && error.what === what,
      );
    }
    const small = Buffer.from(vmlinux);
    small.writeBigUInt64LE(1n, 64 + 40);
    assert.throws(() => extractKernel(small), /program header 0 at byte 64: \d+ bytes for 1 of memory/);
    const overlapping = Buffer.from(vmlinux);
    for (const at of [64, 64 + 56, 64 + 112]) {
      overlapping.writeBigUInt64LE(0n, at + 8);
      overlapping.writeBigUInt64LE(BigInt(vmlinux.length), at + 32);
      overlapping.writeBigUInt64LE(BigInt(vmlinux.length), at + 40);
    }
    assert.throws(() => extractKernel(overlapping), /ELF program headers at byte 64: \d+ bytes in an image of \d+/);
    const huge = Buffer.from(vmlinux);
    huge.writeBigUInt64LE(0xffffffffffffffffn, 40);
    assert.throws(() => extractKernel(huge), FormatError);
  });
});

function machine(number: number): Buffer {
  const bytes = syntheticKernel();
  bytes.writeUInt16LE(number, 18);
  return bytes;
}

function thirtyTwoBit(): Buffer {
  const bytes = machine(3);
  bytes[4] = 1;
  return bytes;
}
