import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { extractKernel } from '@unpin/image/kernel';
import { acpiTables, planBoot, ramRanges } from '../../src/boot/index.ts';
import { assetPath } from '../probe/assets.ts';
import { walk, wordsOf } from './walk.ts';

const MIB = 2 ** 20;

describe('Debian’s kernels', () => {
  for (const id of ['kernel-5.10-cloud', 'kernel-6.1-cloud', 'kernel-6.12-cloud']) {
    const path = assetPath(id);
    test(`${id} lies where it was linked, is entered in its code, and leaves room for its own page structs`, {
      skip: path === undefined && `asset ${id} was not fetched to this machine`,
    }, () => {
      const image = extractKernel(readFileSync(path ?? ''));
      const plan = planBoot({
        kernel: { entry: image.entry, segments: image.segments, setupHeader: image.setup?.header ?? null },
        initrd: new Uint8Array(MIB),
        commandLine: 'console=ttyS0',
        ram: ramRanges(128 * MIB),
        cBit: 39,
        acpi: acpiTables(),
      });
      const params = plan.pieces.find((piece) => piece.what === 'boot_params');
      assert.ok(params);
      const header = new DataView(params.bytes.buffer, params.bytes.byteOffset);
      assert.equal(header.getUint32(0x202, true), 0x5372_6448);
      assert.equal(header.getUint32(0x238, true), 2047);
      const u64 = wordsOf(plan.pieces);
      assert.deepEqual(walk(u64, plan.entry.cr3, plan.entry.rip, 39), {
        gpa: plan.entry.rip,
        cBit: true,
        walkPrivate: true,
      });
      assert.notEqual(u64(plan.entry.rip), 0n, 'there is code');
      const kernel = plan.pieces.filter((piece) => piece.what.startsWith('kernel segment'));
      const initrd = plan.pieces.find((piece) => piece.what === 'initrd');
      const kernelStart = Math.min(...kernel.map((piece) => piece.gpa));
      assert.equal(BigInt(kernelStart), header.getBigUint64(0x258, true), 'pref_address is where it is linked');
      const kernelEnd = Math.max(...kernel.map((piece) => piece.gpa + piece.size));
      assert.ok(initrd !== undefined && initrd.gpa >= kernelEnd, 'the initrd is above the kernel');
      assert.equal(initrd.gpa + initrd.size, 128 * MIB);
    });
  }
});
