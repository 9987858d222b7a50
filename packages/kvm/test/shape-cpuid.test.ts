import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseCBit, shapedCpuid } from '../src/linux/shape/index.ts';
import { ShapedMsrs } from '../src/linux/shape/msrs.ts';
import type { CpuidEntry } from '../src/port/index.ts';

const leaf = (fn: number, values: Partial<CpuidEntry> = {}): CpuidEntry => ({
  function: fn,
  index: 0,
  flags: 0,
  eax: 0,
  ebx: 0,
  ecx: 0,
  edx: 0,
  ...values,
});

const MILAN: readonly CpuidEntry[] = [
  leaf(1, { ecx: 0x202001 }),
  leaf(0x4000_0001, { eax: 0x0100_7efb }),
  leaf(0x8000_0000, { eax: 0x8000_001e }),
  leaf(0x8000_0008, { eax: 0x3028 }),
  leaf(0x8000_001f, { eax: 1, ebx: 51 }),
];
const find = (entries: readonly CpuidEntry[], fn: number): CpuidEntry => {
  const found = entries.filter((entry) => entry.function === fn);
  assert.equal(found.length, 1);
  return found[0] ?? assert.fail();
};

describe('the CPUID of a shaped SEV guest', () => {
  const shaped = shapedCpuid(MILAN, { cBit: 39, wantsReports: true, asyncPageFaults: false });

  test('has SEV, the C bit and the reduction that takes it off the width', () => {
    const { eax, ebx } = find(shaped, 0x8000_001f);
    assert.equal(eax, 2);
    assert.equal(ebx & 0x3f, 39);
    assert.equal(ebx >> 6, 1);
    assert.equal(find(shaped, 0x8000_0000).eax, 0x8000_001f);
  });

  test('shows a hypervisor, and both bits by which conversions are asked for', () => {
    assert.equal(find(shaped, 1).ecx >>> 31, 1);
    assert.equal((find(shaped, 0x4000_0001).eax >> 16) & 3, 3);
    const silent = shapedCpuid(MILAN, { cBit: 39, wantsReports: false, asyncPageFaults: true });
    assert.equal((find(silent, 0x4000_0001).eax >> 16) & 3, 0);
  });

  test('takes async page faults off only where asked', () => {
    assert.equal(find(shaped, 0x4000_0001).eax & 0x4410, 0);
    const kept = shapedCpuid(MILAN, { cBit: 39, wantsReports: true, asyncPageFaults: true });
    assert.equal(find(kept, 0x4000_0001).eax & 0x4410, 0x4410);
  });
});

describe('the C bit', () => {
  test('is the highest physical-address bit, and at most 47', () => {
    assert.equal(chooseCBit(MILAN, 2 ** 32), 39);
    assert.equal(chooseCBit([leaf(0x8000_0008, { eax: 0x3934 })], 2 ** 40), 47);
  });

  test('is refused where RAM needs it', () => {
    assert.equal(chooseCBit(MILAN, 2 ** 39), 39);
    assert.throws(() => chooseCBit(MILAN, 2 ** 39 + 4096), RangeError);
    assert.throws(() => chooseCBit([leaf(0x8000_0008, { eax: 32 })], 2 ** 20), RangeError);
  });
});

describe('MSRs of a shaped SEV guest', () => {
  test('SEV_STATUS reads 1 and can not be written', () => {
    const msrs = new ShapedMsrs();
    assert.deepEqual(msrs.read(0xc001_0131), { high: 0, low: 1 });
    assert.equal(msrs.write(0xc001_0131, 0, 1), false);
    assert.equal(msrs.read(0x10), null);
  });

  test('MSR_KVM_MIGRATION_CONTROL starts as 0 and keeps what the guest says', () => {
    const msrs = new ShapedMsrs();
    assert.deepEqual(msrs.read(0x4b56_4d08), { high: 0, low: 0 });
    assert.equal(msrs.write(0x4b56_4d08, 0, 2), false);
    assert.equal(msrs.write(0x4b56_4d08, 0, 1), true);
    assert.ok(msrs.isMigrationReady);
  });
});
