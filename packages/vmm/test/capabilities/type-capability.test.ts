import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HostFeature, type VmTypeId, vmType, vmTypes } from '@unpin/policy';
import { type Feature, typeCapability } from '../../src/capabilities/type-capability.ts';

const have = (...ids: HostFeature[]): readonly Feature[] => ids.map((id) => ({ id, present: true }));
const BOOTS = { linux: true, software: true };
const SHAPES: readonly HostFeature[] = ['kvm', 'spare-address-bit', 'long-term-pin', 'userfaultfd'];

const ways = (type: VmTypeId, ...features: HostFeature[]) =>
  typeCapability(vmType(type), have(...features), BOOTS).ways.map((way) => [way.execution, way.confidential]);

const memory = (...features: HostFeature[]) =>
  typeCapability(vmType('sev-upm'), have(...features), BOOTS).ways[0]?.privateMemory;

describe('what a type is on a machine', () => {
  test('hardware comes before shaped, and only SEV hardware is confidential', () => {
    assert.deepEqual(ways('sev', ...SHAPES, 'sev'), [
      ['hardware', true],
      ['shaped', false],
    ]);
    assert.deepEqual(ways('sev', ...SHAPES), [['shaped', false]]);
    assert.deepEqual(ways('standard', 'kvm'), [['hardware', false]]);
  });

  test('a shaped guest keeps private memory in a guest_memfd where ordinary VMs can have one', () => {
    assert.equal(memory(...SHAPES), 'memfd');
    assert.equal(memory(...SHAPES, 'guest-memfd-default-vm'), 'guest_memfd');
  });

  test('boots Linux only where the machine does', () => {
    const small = typeCapability(vmType('sev'), have(...SHAPES), { linux: false, software: true });
    assert.deepEqual(
      small.ways.map(({ execution, bootsLinux }) => [execution, bootsLinux]),
      [['shaped', false]],
    );
  });

  test('says what each way of running it lacks, and what is not built', () => {
    const found = typeCapability(
      vmType('sev-deferred'),
      [...have('kvm', 'spare-address-bit', 'long-term-pin'), { id: 'userfaultfd', present: false, detail: 'EPERM' }],
      BOOTS,
    );
    assert.deepEqual(found.ways, []);
    assert.deepEqual(found.obstacles, [
      'shaped: this machine has no userfaultfd (EPERM)',
      'emulated: this machine has no software-kvm',
    ]);
  });

  test('without KVM nothing is available and everything says why', () => {
    for (const type of vmTypes()) {
      const found = typeCapability(type, [{ id: 'kvm', present: false, detail: 'no /dev/kvm' }], BOOTS);
      assert.deepEqual(found.ways, []);
      assert.ok(found.obstacles.length > 0);
    }
  });
});
