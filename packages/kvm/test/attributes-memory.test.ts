import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { regimeOf, vmType } from '@unpin/policy';
import { createGuestMemory } from '../src/guest-memory/index.ts';
import { openLinuxKvm } from '../src/linux/index.ts';
import { CAPS, VM_TYPES } from '../src/uapi/constants.ts';
import { noGuestHere } from './helpers/shaped-guest.ts';

const PAGE = 4096;

/** False, or why KVM keeps no attributes here. */
function noAttributes(): string | false {
  const reason = noGuestHere();
  if (reason !== false) return reason;
  const kvm = openLinuxKvm();
  const types = kvm.checkExtension(CAPS.KVM_CAP_VM_TYPES);
  kvm.close();
  const has = (types & (1 << VM_TYPES.KVM_X86_SW_PROTECTED_VM)) !== 0;
  return has ? false : 'this kernel has no software-protected VMs (CONFIG_KVM_SW_PROTECTED_VM)';
}

describe('memory whose attributes KVM keeps', { skip: noAttributes() }, () => {
  test('starts shared on a software-protected VM, and a conversion discards what it was', () => {
    const kvm = openLinuxKvm();
    const vm = kvm.createVm(VM_TYPES.KVM_X86_SW_PROTECTED_VM);
    const regime = regimeOf(vmType('sw-protected'));
    const ranges = [{ gpa: 0, size: 256 * PAGE }];
    const memory = createGuestMemory({ kvm, vm, regime, execution: 'hardware', ranges, cBit: null });
    memory.write(0, new Uint8Array(4 * PAGE).fill(1), 'shared');
    assert.equal(memory.attributeOf(0), 'shared');
    assert.deepEqual(memory.convert({ gpa: 0, size: 2 * PAGE }, 'private'), { changed: 2 * PAGE, discarded: 2 * PAGE });
    assert.deepEqual(memory.convert({ gpa: 0, size: 2 * PAGE }, 'private'), { changed: 0, discarded: 0 });
    assert.equal(memory.figures().shared, 2 * PAGE);
    assert.throws(() => memory.read(0, 1, 'private'), RangeError);
    memory.close();
    vm.close();
    kvm.close();
  });
});
