import type { Kvm, Vm } from '@unpin/kvm';
import { CAPS, DEVICE_FLAGS, PARAVIRT, VM_TYPES } from '@unpin/kvm/uapi';
import type { Execution, Regime } from '@unpin/policy';
import { layout } from '../boot/index.ts';
import { hostUseFilter } from './host-uses.ts';

/** KVM_X86_*_VM for a regime. Shaped types run as ordinary VMs: KVM knows nothing of their C bit. Pure. */
export function vmTypeNumber(regime: Regime, execution: Execution): number {
  if (execution === 'shaped') return VM_TYPES.KVM_X86_DEFAULT_VM;
  switch (regime.tech) {
    case 'none':
      return VM_TYPES.KVM_X86_DEFAULT_VM;
    case 'sev':
      return VM_TYPES.KVM_X86_SEV_VM;
    case 'sev-es':
      return VM_TYPES.KVM_X86_SEV_ES_VM;
    case 'sev-snp':
      return VM_TYPES.KVM_X86_SNP_VM;
    case 'sw-protected':
      return VM_TYPES.KVM_X86_SW_PROTECTED_VM;
  }
}

/** Whether guests of a regime may convert pages at all, so that KVM has to hand their requests over. */
export function converts(regime: Regime): boolean {
  return regime.conversions !== 'none';
}

/** Whether the host's own uses of guest pages must be judged: where a page's attribute decides what the host sees. */
export function judgesHostUses(regime: Regime): boolean {
  return regime.conversions === 'hypercall';
}

/**
 * A VM with the exits that its regime needs and the PC's interrupt controllers and timer, before any vCPU.
 * @throws KvmError
 */
export function createVm(kvm: Kvm, regime: Regime, execution: Execution): Vm {
  const vm = kvm.createVm(vmTypeNumber(regime, execution));
  if (converts(regime)) {
    const mask = 1 << PARAVIRT.KVM_HC_MAP_GPA_RANGE;
    // A KVM without it (or whose hypercalls never exit) is for the probe, which has a doorbell instead.
    if ((vm.checkExtension(CAPS.KVM_CAP_EXIT_HYPERCALL) & mask) !== 0)
      vm.enableCap(CAPS.KVM_CAP_EXIT_HYPERCALL, [mask]);
  }
  if (regime.tech !== 'none') {
    const { KVM_MSR_EXIT_REASON_INVAL, KVM_MSR_EXIT_REASON_UNKNOWN, KVM_MSR_EXIT_REASON_FILTER } = DEVICE_FLAGS;
    const reasons = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER;
    vm.enableCap(CAPS.KVM_CAP_X86_USER_SPACE_MSR, [reasons]);
    if (judgesHostUses(regime)) vm.setMsrFilter(DEVICE_FLAGS.KVM_MSR_FILTER_DEFAULT_ALLOW, hostUseFilter());
  }
  // Both only matter to VMX without unrestricted guest; elsewhere KVM takes them and never uses them.
  vm.setIdentityMapAddress(layout.KVM_IDENTITY_MAP);
  vm.setTssAddress(layout.KVM_TSS);
  vm.createIrqchip();
  vm.createPit2(DEVICE_FLAGS.KVM_PIT_SPEAKER_DUMMY);
  return vm;
}
