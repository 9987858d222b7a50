import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Execution, regimeOf, type VmTypeId, vmType } from '@unpin/policy';
import {
  type AnyGuestMemory,
  createGuestMemory,
  hasSharedGuestMemfd,
  MemoryModelNotBuilt,
} from '../src/guest-memory/index.ts';
import { openLinuxKvm } from '../src/linux/index.ts';
import { chooseCBit } from '../src/linux/shape/index.ts';
import type { GpaRange, Kvm, Vm } from '../src/port/index.ts';
import { noGuestHere } from './helpers/shaped-guest.ts';

const MiB = 1 << 20;
const PAGE = 4096;
/** A hole at 2–4 MiB, as the one below 4 GiB. */
const RAM: readonly GpaRange[] = [
  { gpa: 0, size: 2 * MiB },
  { gpa: 4 * MiB, size: 4 * MiB },
];
const PATTERN = Uint8Array.from({ length: 3 * PAGE }, (_, index) => (index % 251) + 1);

describe('guest memory by regime', { skip: noGuestHere() }, () => {
  let kvm: Kvm;
  const open: { vm: Vm; memory: AnyGuestMemory }[] = [];
  before(() => {
    kvm = openLinuxKvm();
  });
  after(() => {
    for (const { vm, memory } of open) {
      memory.close();
      vm.close();
    }
    kvm.close();
  });

  function create(id: VmTypeId, execution: Execution, ranges = RAM): AnyGuestMemory {
    const vm = kvm.createVm(0);
    const cBit = execution === 'shaped' ? chooseCBit(kvm.supportedCpuid(), 8 * MiB) : null;
    const memory = createGuestMemory({ kvm, vm, regime: regimeOf(vmType(id)), execution, ranges, cBit });
    open.push({ vm, memory });
    return memory;
  }

  for (const [id, execution, kind] of [
    ['standard', 'hardware', 'memslots'],
    ['standard-pinned', 'hardware', 'memslots'],
    ['sev', 'shaped', 'memslots'],
    ['sev-deferred', 'shaped', 'memslots'],
    ['sev-upm', 'shaped', 'shaped-upm'],
  ] as const)
    test(`${id} has ${kind} memory that holds what is written, over the hole and no further`, () => {
      const memory = create(id, execution);
      assert.equal(memory.kind, kind);
      const view = memory.cBit === null ? 'shared' : 'private';
      memory.write(2 * MiB - PAGE, PATTERN.subarray(0, PAGE), view);
      memory.write(5 * MiB - 100, PATTERN, view);
      assert.deepEqual(memory.read(5 * MiB - 100, PATTERN.length, view), PATTERN);
      assert.throws(() => memory.read(2 * MiB - 1, 2, view), RangeError);
      assert.throws(() => memory.write(4 * MiB - 1, PATTERN, view), RangeError);
      assert.ok(memory.covers({ gpa: 4 * MiB, size: 4 * MiB }));
      assert.ok(!memory.covers({ gpa: 0, size: 4 * MiB }));
      assert.throws(() => memory.convert({ gpa: MiB + 1, size: PAGE }, 'shared'), RangeError);
      const figures = memory.figures();
      assert.equal(figures.nominal, 6 * MiB);
      assert.ok(figures.resident > 0 && figures.resident <= 6 * MiB);
    });

  test('standard-gmem is a guest_memfd whose pages are allocated as they are touched, and are unmovable', (context) => {
    const vm = kvm.createVm(0);
    const has = hasSharedGuestMemfd(vm);
    vm.close();
    if (!has) return context.skip('this kernel has no shared guest_memfd for default VMs (Linux 6.18)');
    const memory = create('standard-gmem', 'hardware');
    assert.equal(memory.figures().resident, 0);
    memory.write(4 * MiB, PATTERN, 'shared');
    const { resident, unmovable, shared } = memory.figures();
    assert.equal(resident, 3 * PAGE);
    assert.equal(shared, resident);
    assert.ok(unmovable >= resident);
  });

  test("reading a shaped guest's untouched memory allocates nothing, and each side holds its own bytes", () => {
    const memory = create('sev-upm', 'shaped');
    memory.write(0, PATTERN, 'private');
    const { private: held } = memory.figures();
    assert.equal(held, 3 * PAGE);
    assert.deepEqual(memory.read(0, 2 * MiB, 'shared'), new Uint8Array(2 * MiB));
    assert.deepEqual(memory.read(4 * MiB, MiB, 'private'), new Uint8Array(MiB));
    assert.deepEqual(memory.figures(), { ...memory.figures(), private: held, shared: 0, resident: held });
    memory.convert({ gpa: 0, size: 2 * PAGE }, 'shared');
    memory.write(0, PATTERN.subarray(0, PAGE), 'shared');
    assert.deepEqual(memory.read(0, PAGE, 'shared'), PATTERN.subarray(0, PAGE));
    assert.deepEqual(memory.read(0, 2 * PAGE, 'private'), new Uint8Array(2 * PAGE));
    assert.deepEqual(memory.read(2 * PAGE, PAGE, 'private'), PATTERN.subarray(2 * PAGE));
    assert.equal(memory.figures().resident, 2 * PAGE);
  });

  test('a shaped guest of many conversions stays within the memory slots', () => {
    const memory = create('sev-upm', 'shaped', [{ gpa: 0, size: 64 * MiB }]);
    for (let page = 1; page < 64 * 256; page += 31) memory.convert({ gpa: page * PAGE, size: PAGE }, 'shared');
    assert.equal(memory.attributeOf(32 * PAGE), 'shared');
    assert.equal(memory.attributeOf(33 * PAGE), 'private');
    memory.convert({ gpa: 0, size: 64 * MiB }, 'private');
    if (memory.kind !== 'shaped-upm') return assert.fail();
    assert.ok(memory.judgeFigures().memslots <= 32, `${memory.judgeFigures().memslots} slots`);
  });

  test('what is not built, and what can not be, is refused by name', () => {
    assert.throws(() => create('sev-es-upm', 'shaped'), MemoryModelNotBuilt);
    assert.throws(() => create('sev-upm', 'hardware'), MemoryModelNotBuilt);
    assert.throws(() => create('standard', 'hardware', []), RangeError);
    assert.throws(() => create('standard', 'hardware', [{ gpa: 0, size: 100 }]), RangeError);
    assert.throws(() => create('sev', 'shaped', [{ gpa: 2 ** 50, size: PAGE }]), RangeError);
    const overlapping = [
      { gpa: 0, size: MiB },
      { gpa: MiB - PAGE, size: MiB },
    ];
    assert.throws(() => create('standard', 'hardware', overlapping), RangeError);
  });
});
