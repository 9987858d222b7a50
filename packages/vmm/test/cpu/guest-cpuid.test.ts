import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CpuidEntry } from '@unpin/kvm';
import * as fc from 'fast-check';
import { guestCpuid } from '../../src/cpu/index.ts';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const LEAVES = [
  1, 2, 4, 7, 0xa, 0xb, 0xd, 0x1f, 0x4000_0000, 0x4000_0001, 0x8000_0000, 0x8000_0001, 0x8000_0008, 0x8000_000a,
  0x8000_001d, 0x8000_001e, 0x8000_0022,
];
const registers = fc.tuple(u32, u32, u32, u32);
const entries = (maxBasic: number) =>
  fc.tuple(...LEAVES.map(() => registers)).map((rows) => {
    const list: CpuidEntry[] = [{ function: 0, index: 0, flags: 0, eax: maxBasic, ebx: 1, ecx: 2, edx: 3 }];
    for (const [at, [eax, ebx, ecx, edx]] of rows.entries())
      list.push({ function: LEAVES[at] ?? 0, index: 0, flags: 0, eax, ebx, ecx, edx });
    return list;
  });
const options = { vcpuId: 0, tscDeadline: true, emulatedHost: false };
const leaf = (list: readonly CpuidEntry[], number: number, index = 0): CpuidEntry => {
  const found = list.find((entry) => entry.function === number && entry.index === index);
  assert.ok(found, `leaf 0x${number.toString(16)}`);
  return found;
};
const bit = (value: number, position: number): number => (value >>> position) & 1;

describe('the guest’s CPUID', () => {
  test('shows a hypervisor, x2APIC, the deadline timer KVM has, and no nested virtualization', () => {
    fc.assert(
      fc.property(entries(0x1f), fc.boolean(), (supported, tscDeadline) => {
        const got = guestCpuid(supported, { ...options, tscDeadline });
        const { ecx } = leaf(got, 1);
        assert.deepEqual(
          [31, 24, 21, 5].map((position) => bit(ecx, position)),
          [1, tscDeadline ? 1 : 0, 1, 0],
        );
        assert.equal(bit(leaf(got, 0x8000_0001).ecx, 2), 0, 'SVM');
        for (const counters of [0xa, 0x8000_0022]) assert.equal(leaf(got, counters).eax, 0);
        assert.deepEqual(leaf(got, 0x4000_0001), leaf(supported, 0x4000_0001), 'KVM’s own leaf');
      }),
    );
  });

  test('is one thread of one core of one socket, wherever a kernel looks', () => {
    fc.assert(
      fc.property(entries(0x1f), (supported) => {
        const got = guestCpuid(supported, { ...options, vcpuId: 3 });
        const one = leaf(got, 1);
        assert.equal(one.ebx >>> 24, 3, 'APIC id');
        assert.equal((one.ebx >>> 16) & 0xff, 1);
        assert.equal(one.ebx & 0xffff, leaf(supported, 1).ebx & 0xffff, 'CLFLUSH size');
        assert.equal(bit(one.edx, 28), 0);
        for (const cache of [4, 0x8000_001d]) assert.equal(leaf(got, cache).eax >>> 14, 0);
        for (const topology of [0xb, 0x1f]) {
          assert.deepEqual(
            [0, 1, 2].map((index) => leaf(got, topology, index).ebx),
            [1, 1, 0],
          );
          assert.deepEqual(
            [0, 1, 2].map((index) => leaf(got, topology, index).ecx),
            [0x100, 0x201, 2],
          );
          assert.deepEqual(
            [0, 1, 2].map((index) => leaf(got, topology, index).edx),
            [3, 3, 3],
          );
          assert.equal(got.filter((entry) => entry.function === topology).length, 3);
        }
        assert.equal(leaf(got, 0x8000_0008).ecx, 0);
        assert.equal(leaf(got, 0x8000_001e).eax, 3);
      }),
    );
  });

  test('has no topology leaf that the highest basic leaf doesn’t reach', () => {
    const supported = fc.sample(entries(0xd), 1)[0] ?? [];
    const got = guestCpuid(supported, options);
    assert.equal(got.filter((entry) => entry.function === 0x1f).length, 0);
    assert.equal(got.filter((entry) => entry.function === 0xb).length, 3);
  });

  test('loses AVX, XSAVE and the structured features on an emulated host only', () => {
    fc.assert(
      fc.property(entries(0x1f), (supported) => {
        const real = guestCpuid(supported, options);
        assert.deepEqual(leaf(real, 7), leaf(supported, 7));
        assert.deepEqual(leaf(real, 0xd), leaf(supported, 0xd));
        const emulated = guestCpuid(supported, { ...options, emulatedHost: true });
        assert.deepEqual(
          [12, 26, 27, 28, 29].map((position) => bit(leaf(emulated, 1).ecx, position)),
          [0, 0, 0, 0, 0],
        );
        for (const gone of [7, 0xd]) {
          const { eax, ebx, ecx, edx } = leaf(emulated, gone);
          assert.deepEqual([eax, ebx, ecx, edx], [0, 0, 0, 0]);
        }
        assert.equal(bit(leaf(emulated, 1).ecx, 31), 1);
      }),
    );
  });

  test('is made of unsigned 32-bit values', () => {
    fc.assert(
      fc.property(entries(0x1f), fc.boolean(), (supported, emulatedHost) => {
        for (const entry of guestCpuid(supported, { ...options, vcpuId: 255, emulatedHost }))
          for (const value of [entry.eax, entry.ebx, entry.ecx, entry.edx]) assert.ok(value >= 0 && value < 2 ** 32);
      }),
    );
  });
});
