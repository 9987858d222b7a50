import { accessSync, constants } from 'node:fs';
import { type Kvm, KvmError } from '@unpin/kvm';
import { hasSharedGuestMemfd } from '@unpin/kvm/guest-memory';
import { UserFaults } from '@unpin/kvm/linux';
import { chooseCBit } from '@unpin/kvm/shape';
import { CAPS, MEMORY_FLAGS, VM_TYPES } from '@unpin/kvm/uapi';
import type { HostFeature } from '@unpin/policy';
import type { Feature } from './type-capability.ts';

/** Bytes that a long-term pin is tried with. */
const TRIAL_PIN = 64 * 1024;
/** The smallest guest that a shaped VM must have room for, in bytes. */
const SMALLEST_RAM = 4 * 1024 ** 3;

/** All features of its own KVM that policy knows, each asked for on this machine. Never throws: what fails is not there, and why. */
export function findFeatures(kvm: Kvm): readonly Feature[] {
  const types = kvm.checkExtension(CAPS.KVM_CAP_VM_TYPES);
  const hasType = (number: number) => (types & (1 << number)) !== 0;
  const rows: Readonly<Record<Exclude<HostFeature, 'software-kvm'>, () => Omit<Feature, 'id'>>> = {
    kvm: () => ({ present: true, detail: `API version ${kvm.apiVersion()}, ${kvm.info.engine}` }),
    'guest-memfd-default-vm': () => {
      const vm = kvm.createVm(VM_TYPES.KVM_X86_DEFAULT_VM);
      try {
        return answer(hasSharedGuestMemfd(vm), 'ordinary VMs have no guest_memfd that is shared from the start');
      } finally {
        vm.close();
      }
    },
    'guest-memfd': () => answer(kvm.checkExtension(CAPS.KVM_CAP_GUEST_MEMFD) > 0, 'no guest_memfd'),
    'memory-attributes': () => {
      const bits = kvm.checkExtension(CAPS.KVM_CAP_MEMORY_ATTRIBUTES);
      return answer((bits & MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE) !== 0, 'KVM keeps no memory attributes');
    },
    sev: () => sev(hasType(VM_TYPES.KVM_X86_SEV_VM), 'SEV'),
    'sev-es': () => sev(hasType(VM_TYPES.KVM_X86_SEV_ES_VM), 'SEV-ES'),
    'sev-snp': () => sev(hasType(VM_TYPES.KVM_X86_SNP_VM), 'SEV-SNP'),
    'sw-protected-vm': () =>
      answer(hasType(VM_TYPES.KVM_X86_SW_PROTECTED_VM), 'this kernel is built without KVM_SW_PROTECTED_VM'),
    'spare-address-bit': () => ({
      present: true,
      detail: `C bit ${chooseCBit(kvm.supportedCpuid(), SMALLEST_RAM)}`,
    }),
    'long-term-pin': () => {
      const memory = kvm.allocate(TRIAL_PIN);
      try {
        kvm.pinning.pin(memory, 0, TRIAL_PIN).release();
        return { present: true };
      } finally {
        memory.close();
      }
    },
    userfaultfd: () => {
      UserFaults.create().close();
      return { present: true };
    },
  };
  return Object.entries(rows).map(([id, ask]) => asked(id as HostFeature, ask));
}

/** What policy's types need where there is no KVM. */
export function featuresWithoutKvm(problem: string): readonly Feature[] {
  return [{ id: 'kvm', present: false, detail: problem }];
}

function answer(present: boolean, otherwise: string): Omit<Feature, 'id'> {
  return present ? { present } : { present, detail: otherwise };
}

function sev(hasType: boolean, name: string): Omit<Feature, 'id'> {
  if (!hasType) return { present: false, detail: `KVM offers no ${name} VMs: no such processor, or switched off` };
  try {
    accessSync('/dev/sev', constants.R_OK | constants.W_OK);
    return { present: true };
  } catch {
    return { present: false, detail: 'KVM offers it, but /dev/sev cannot be opened' };
  }
}

function asked(id: HostFeature, ask: () => Omit<Feature, 'id'>): Feature {
  try {
    return { id, ...ask() };
  } catch (cause) {
    if (cause instanceof KvmError || cause instanceof RangeError) return { id, present: false, detail: cause.message };
    throw cause;
  }
}
