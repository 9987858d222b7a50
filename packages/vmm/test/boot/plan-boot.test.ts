import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  BootError,
  type BootErrorKind,
  type BootInputs,
  type BootPlan,
  planBoot,
  ramRanges,
} from '../../src/boot/index.ts';
import { walk, wordsOf } from './walk.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A setup header as bzImages of protocol 2.15 have it: from 0x1f1, 0x26c at its end. */
function setupHeader(commandLineSize = 2047): Uint8Array {
  const file = new Uint8Array(0x26c);
  const view = new DataView(file.buffer);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint8(0x201, 0x6a);
  view.setUint32(0x202, 0x5372_6448, true);
  view.setUint16(0x206, 0x20f, true);
  view.setUint8(0x210, 0xb0);
  view.setUint8(0x211, 0xff);
  view.setUint32(0x22c, 0x7fff_ffff, true);
  view.setUint32(0x238, commandLineSize, true);
  view.setBigUint64(0x250, 0xdeadn, true);
  return file.subarray(0x1f1);
}

const inputs = (over: Partial<BootInputs> = {}): BootInputs => ({
  kernel: {
    entry: 16 * MIB,
    setupHeader: setupHeader(),
    segments: [
      { paddr: 16 * MIB, bytes: new Uint8Array(MIB).fill(0x90), memsz: MIB },
      { paddr: 18 * MIB, bytes: new Uint8Array(100).fill(1), memsz: 4 * MIB },
    ],
  },
  initrd: new Uint8Array(5000).fill(7),
  commandLine: 'console=ttyS0 quiet',
  ram: ramRanges(256 * MIB),
  cBit: 39,
  acpi: null,
  ...over,
});

const pieceOf = (plan: BootPlan, what: string) => {
  const found = plan.pieces.find((piece) => piece.what === what);
  assert.ok(found, `${what} is part of the plan`);
  return found;
};
const paramsOf = (plan: BootPlan) => {
  const { bytes } = pieceOf(plan, 'boot_params');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
};
const refused = (kind: BootErrorKind, over: Partial<BootInputs>) =>
  assert.throws(
    () => planBoot(inputs(over)),
    (error: unknown) => error instanceof BootError && error.kind === kind,
  );

describe('boot_params', () => {
  test('carry the setup header, and what a loader must add, at the offsets of the boot protocol', () => {
    const plan = planBoot(inputs());
    const view = paramsOf(plan);
    assert.equal(view.byteLength, 4096);
    assert.equal(view.getUint32(0x202, true), 0x5372_6448);
    assert.equal(view.getUint16(0x206, true), 0x20f);
    assert.equal(view.getUint8(0x1ef), 0, 'sentinel');
    assert.equal(view.getUint8(0x210), 0xff, 'type_of_loader');
    assert.equal(view.getUint8(0x211), 1, 'loadflags');
    assert.equal(view.getBigUint64(0x250, true), 0n, 'setup_data');
    assert.equal(view.getUint32(0x228, true), pieceOf(plan, 'command line').gpa);
    assert.equal(view.getUint32(0x0c8, true), 0);
    assert.equal(view.getUint32(0x218, true), pieceOf(plan, 'initrd').gpa);
    assert.equal(view.getUint32(0x21c, true), 5000);
    assert.equal(view.getBigUint64(0x070, true), 0n, 'no RSDP');
    assert.equal(plan.entry.rsi, pieceOf(plan, 'boot_params').gpa);
  });

  test('tell the memory map in 20-byte rows', () => {
    const view = paramsOf(planBoot(inputs({ ram: ramRanges(5 * GIB) })));
    const rows = Array.from({ length: view.getUint8(0x1e8) }, (_, index) => {
      const at = 0x2d0 + index * 20;
      return [view.getBigUint64(at, true), view.getBigUint64(at + 8, true), view.getUint32(at + 16, true)];
    });
    assert.deepEqual(rows, [
      [0n, 0x9_fc00n, 1],
      [0x9_fc00n, 0x400n, 2],
      [0x10_0000n, 0xbff0_0000n, 1],
      [0x1_0000_0000n, 0x8000_0000n, 1],
    ]);
  });

  test('say nothing of an initrd where there is none', () => {
    for (const initrd of [null, new Uint8Array(0)]) {
      const view = paramsOf(planBoot(inputs({ initrd })));
      assert.equal(view.getUint32(0x218, true), 0);
      assert.equal(view.getUint32(0x21c, true), 0);
    }
  });

  test('have a header of their own for a bare vmlinux', () => {
    const view = paramsOf(planBoot(inputs({ kernel: { ...inputs().kernel, setupHeader: null } })));
    assert.equal(view.getUint32(0x202, true), 0x5372_6448);
    assert.equal(view.getUint16(0x1fe, true), 0xaa55);
    assert.equal(view.getUint8(0x210), 0xff);
  });

  test('put an initrd that fits only above 4 GiB there, with the high halves of its address', () => {
    const ram = [
      { gpa: 0, size: 24 * MIB },
      { gpa: 4 * GIB, size: 64 * MIB },
    ];
    const plan = planBoot(inputs({ ram, initrd: new Uint8Array(20 * MIB) }));
    const view = paramsOf(plan);
    const gpa = view.getUint32(0x218, true) + view.getUint32(0x0c0, true) * 2 ** 32;
    assert.equal(gpa, pieceOf(plan, 'initrd').gpa);
    assert.equal(gpa, 4 * GIB + 44 * MIB);
  });
});

describe('a boot plan', () => {
  test('keeps its pieces apart, in RAM, and the initrd page-aligned beside the kernel', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 5000 }), fc.integer({ min: 1, max: 3 * MIB }), (mib, initrdSize) => {
        const ram = ramRanges(mib * MIB);
        const plan = planBoot(inputs({ ram, initrd: new Uint8Array(initrdSize) }));
        let end = 0;
        for (const piece of plan.pieces) {
          assert.ok(piece.gpa >= end, `${piece.what} overlaps`);
          end = piece.gpa + piece.size;
          assert.ok(ram.some((range) => piece.gpa >= range.gpa && end <= range.gpa + range.size));
        }
        assert.equal(pieceOf(plan, 'initrd').gpa % 4096, 0);
        assert.ok(pieceOf(plan, 'initrd').gpa < 4 * GIB);
      }),
      { numRuns: 50 },
    );
  });

  test('puts the initrd below whatever lies at the top of RAM', () => {
    const top = { paddr: 200 * MIB, bytes: new Uint8Array(10), memsz: 56 * MIB };
    const kernel = { ...inputs().kernel, segments: [...inputs().kernel.segments, top] };
    const plan = planBoot(inputs({ kernel, initrd: new Uint8Array(5 * MIB + 1) }));
    assert.equal(pieceOf(plan, 'initrd').gpa, 195 * MIB - 4096);
  });

  test('maps the first 4 GiB to themselves, private where there is a C bit', () => {
    for (const cBit of [null, 39, 51]) {
      const plan = planBoot(inputs({ cBit }));
      const u64 = wordsOf(plan.pieces);
      for (const va of [0, 0x7000, 16 * MIB, 0xbfff_ffff, 0xfee0_0020, 4 * GIB - 1])
        assert.deepEqual(walk(u64, plan.entry.cr3, va, cBit), { gpa: va, cBit: cBit !== null, walkPrivate: true });
      assert.equal(walk(u64, plan.entry.cr3, 4 * GIB, cBit), undefined);
    }
  });

  test('enters at startup_64 with the GDT behind its selectors', () => {
    const plan = planBoot(inputs());
    assert.equal(plan.entry.rip, 16 * MIB);
    const gdt = pieceOf(plan, 'GDT');
    assert.equal(plan.entry.gdt.gpa, gdt.gpa);
    assert.equal(plan.entry.gdt.limit, gdt.bytes.length - 1);
    const u64 = wordsOf([gdt]);
    // Present, code, long mode at 0x10; present, data, writable at 0x18.
    assert.equal((u64(gdt.gpa + 0x10) >> 40n) & 0x9fn, 0x9bn);
    assert.equal((u64(gdt.gpa + 0x10) >> 53n) & 1n, 1n);
    assert.equal((u64(gdt.gpa + 0x18) >> 40n) & 0x9fn, 0x93n);
  });

  test('is the same for the same inputs', () => assert.deepEqual(planBoot(inputs()), planBoot(inputs())));

  test('refuses what does not fit, by name', () => {
    refused('kernel-too-large', { ram: ramRanges(20 * MIB) });
    refused('initrd-too-large', { ram: ramRanges(32 * MIB), initrd: new Uint8Array(30 * MIB) });
    refused('command-line-malformed', { commandLine: 'a\nb' });
    refused('command-line-malformed', { commandLine: 'a\0b' });
    refused('bad-entry', { kernel: { ...inputs().kernel, entry: 17 * MIB } });
    refused('bad-entry', { kernel: { ...inputs().kernel, segments: [] } });
    refused('bad-setup-header', { kernel: { ...inputs().kernel, setupHeader: new Uint8Array(0x60) } });
    refused('bad-setup-header', { kernel: { ...inputs().kernel, setupHeader: new Uint8Array(0x200) } });
    refused('bad-mapping', { cBit: 20 });
    const low = { paddr: 0x7000, bytes: new Uint8Array(16), memsz: 16 };
    refused('overlap', { kernel: { entry: 0x7000, setupHeader: null, segments: [low] } });
  });

  test('takes a command line of exactly cmdline_size bytes and no more', () => {
    const kernel = { ...inputs().kernel, setupHeader: setupHeader(255) };
    const plan = planBoot(inputs({ kernel, commandLine: 'x'.repeat(255) }));
    assert.equal(pieceOf(plan, 'command line').bytes.length, 256);
    assert.equal(pieceOf(plan, 'command line').bytes[255], 0);
    refused('command-line-too-long', { kernel, commandLine: 'x'.repeat(256) });
    // Bytes count, not characters.
    refused('command-line-too-long', { kernel, commandLine: 'ä'.repeat(128) });
  });
});
