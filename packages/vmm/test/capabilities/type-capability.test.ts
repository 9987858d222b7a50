import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HostFeature, vmType, vmTypes } from '@unpin/policy';
import { type Feature, typeCapability } from '../../src/capabilities/type-capability.ts';

const have = (...ids: HostFeature[]): readonly Feature[] => ids.map((id) => ({ id, present: true }));
const SHAPES: readonly HostFeature[] = ['kvm', 'spare-address-bit', 'long-term-pin', 'userfaultfd'];

describe('what a type is on a machine', () => {
  test('hardware comes before shaped, and only SEV hardware is confidential', () => {
    const both = typeCapability(vmType('sev'), have(...SHAPES, 'sev'), true);
    assert.deepEqual([both.execution, both.confidential], ['hardware', true]);
    const shaped = typeCapability(vmType('sev'), have(...SHAPES), true);
    assert.deepEqual([shaped.execution, shaped.confidential], ['shaped', false]);
    const standard = typeCapability(vmType('standard'), have('kvm'), true);
    assert.deepEqual([standard.execution, standard.confidential], ['hardware', false]);
  });

  test('a shaped guest keeps private memory in a guest_memfd where ordinary VMs can have one', () => {
    assert.equal(typeCapability(vmType('sev-upm'), have(...SHAPES), true).privateMemory, 'memfd');
    const newer = have(...SHAPES, 'guest-memfd-default-vm');
    assert.equal(typeCapability(vmType('sev-upm'), newer, true).privateMemory, 'guest_memfd');
  });

  test('boots Linux only where the machine does', () => {
    assert.equal(typeCapability(vmType('sev'), have(...SHAPES), false).bootsLinux, false);
  });

  test('says what each way of running it lacks, and what is not built', () => {
    const found = typeCapability(
      vmType('sev-deferred'),
      [...have('kvm', 'spare-address-bit', 'long-term-pin'), { id: 'userfaultfd', present: false, detail: 'EPERM' }],
      true,
    );
    assert.equal(found.available, false);
    assert.deepEqual(found.obstacles, [
      'shaped: this machine has no userfaultfd (EPERM)',
      'emulated: the software KVM is not built yet',
    ]);
  });

  test('without KVM nothing is available and everything says why', () => {
    for (const type of vmTypes()) {
      const found = typeCapability(type, [{ id: 'kvm', present: false, detail: 'no /dev/kvm' }], false);
      assert.equal(found.available, false);
      assert.ok(found.obstacles.length > 0);
    }
  });
});
