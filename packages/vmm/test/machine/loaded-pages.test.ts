import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostMemory } from '@unpin/kvm';
import { piece } from '../../src/boot/index.ts';
import { loadedPages } from '../../src/machine/launch-sev.ts';

const HVA = 0x7000_0000_0000;
const GIB4 = 4 * 1024 ** 3;
const RAM = [
  { gpa: 0, size: 0x10_0000 },
  { gpa: GIB4, size: 0x10_0000 },
];
const BACKING = [{ memory: { hva: HVA } as HostMemory, offset: 0, size: 0x20_0000 }];

function pagesOf(...pieces: readonly (readonly [gpa: number, size: number])[]) {
  const plan = {
    pieces: pieces.map(([gpa, size]) => piece('x', gpa, new Uint8Array(1), size)),
    entry: { rip: 0, rsi: 0, rsp: 0, cr3: 0n, gdt: { gpa: 0, limit: 0 } },
    ram: RAM,
    cBit: 47,
  };
  return loadedPages(BACKING, RAM, plan);
}

describe('the pages that a SEV launch encrypts', () => {
  test('are whole, once each, and joined where pieces meet in a page', () => {
    assert.deepEqual(pagesOf([0x1010, 0x20], [0x1800, 0x900], [0x5000, 1]), [
      { hva: HVA + 0x1000, length: 0x2000 },
      { hva: HVA + 0x5000, length: 0x1000 },
    ]);
  });

  test('lie behind low RAM in the backing where they are high', () => {
    assert.deepEqual(pagesOf([GIB4 + 0x3000, 0x1000]), [{ hva: HVA + 0x10_3000, length: 0x1000 }]);
  });

  test('cannot be where there is no memory', () => {
    assert.throws(() => loadedPages([], RAM, { ...planOf(0x1000) }), /no memory behind GPA 0x1000/);
  });
});

function planOf(gpa: number) {
  return {
    pieces: [piece('x', gpa, new Uint8Array(1))],
    entry: { rip: 0, rsi: 0, rsp: 0, cr3: 0n, gdt: { gpa: 0, limit: 0 } },
    ram: RAM,
    cBit: 47,
  };
}
