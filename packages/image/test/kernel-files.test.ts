/** How far the kernel files of the test set are opened: their container, their payload, the banner inside. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ByteReader, extractKernel, FormatError, inspectKernel } from '../src/index.ts';
import { findBanner } from '../src/kernel/banner.ts';
import { unpackKernel } from '../src/kernel/vmlinux.ts';
import { assetPath, needsAsset } from './assets.ts';
import { EXPECTED_KERNELS, EXPECTED_LOOKALIKES } from './image-set/expected.ts';

const ELF_CLASS = { 1: 32, 2: 64 } as const;

describe('the kernel file', () => {
  for (const { id, container, payload, bits, release } of EXPECTED_KERNELS)
    test(`${id} is a ${bits}-bit ${container} packed with ${payload}`, needsAsset(id), () => {
      const unpacked = unpackKernel(readFileSync(assetPath(id) ?? ''));
      assert.equal(unpacked.container, container);
      assert.equal(unpacked.payload, payload);
      const elfClass = new ByteReader(unpacked.image).u8(4, 'ELF class');
      assert.equal(ELF_CLASS[elfClass as keyof typeof ELF_CLASS], bits);
      const banner = findBanner(unpacked.image);
      assert.match(banner?.release ?? '', release);
      // The setup header claims the release that the kernel really has.
      assert.equal(unpacked.setup?.claimedVersion?.split(' ')[0], banner?.release);
    });
});

describe('what looks like a kernel', () => {
  for (const { id, says } of EXPECTED_LOOKALIKES)
    test(`${id} is refused, and nothing is known of it`, needsAsset(id), () => {
      const file = readFileSync(assetPath(id) ?? '');
      assert.throws(
        () => extractKernel(file),
        (error) => error instanceof FormatError && says.test(error.message),
      );
      const { verdict } = inspectKernel(file, id);
      assert.equal(verdict.kernel.banner, undefined);
      for (const [statement, { answer }] of Object.entries(verdict.statements))
        assert.equal(answer, 'unknown', statement);
    });
});
