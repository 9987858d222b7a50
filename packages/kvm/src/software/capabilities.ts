import { CAPS, MEMORY_FLAGS, PARAVIRT, VM_TYPES } from '../uapi/constants.ts';
import { allowedGuestMemfdFlags, NR_MEMSLOTS } from './memory/index.ts';
import { hasPrivateMemory, VM_TYPE_MASK } from './vm-types.ts';

/** vCPUs of a VM; a host's event words have no room for more. */
export const MAX_VCPUS = 256;
/** vCPU ids, which are x2APIC ids, are below. */
export const MAX_VCPU_IDS = 4096;
/** MAX_NR_RESERVED_IOAPIC_PINS: as many as there are routes. */
export const MAX_RESERVED_PINS = 4096;
/** KVM_X2APIC_API_USE_32BIT_IDS. */
export const X2APIC_API_MASK = 1;
/** KVM_X86_DISABLE_EXITS_HLT, _PAUSE, _CSTATE: there are no exits of the last two. */
export const DISABLE_EXITS_MASK = 2 | 4 | 8;
/** KVM_X86_QUIRK_FIX_HYPERCALL_INSN: the other vendor's hypercall instruction is taken for this one's. */
export const QUIRK_HYPERCALL_INSTRUCTION = 1 << 5;
export const QUIRKS_MASK = QUIRK_HYPERCALL_INSTRUCTION;
/** KVM_MSR_EXIT_REASON_INVAL, _UNKNOWN, _FILTER. */
export const MSR_EXIT_MASK = 7;
export const EXIT_HYPERCALL_MASK = 1 << PARAVIRT.KVM_HC_MAP_GPA_RANGE;
/** KVM_CLOCK_TSC_STABLE: all vCPUs of a VM see one clock. */
const CLOCK_FLAGS = 2;

/**
 * What KVM_CHECK_EXTENSION answers where the VM doesn't matter: what a kernel 6.18 with kvm_amd and SEV says for
 * everything that is built here. A call that the port lacks has no row, so that nothing is offered that can't be used.
 */
const ANSWERS: ReadonlyMap<number, number> = new Map([
  [CAPS.KVM_CAP_IRQCHIP, 1],
  [CAPS.KVM_CAP_HLT, 1],
  [CAPS.KVM_CAP_USER_MEMORY, 1],
  [CAPS.KVM_CAP_SET_TSS_ADDR, 1],
  [CAPS.KVM_CAP_EXT_CPUID, 1],
  [CAPS.KVM_CAP_CLOCKSOURCE, 1],
  [CAPS.KVM_CAP_NR_VCPUS, 1],
  [CAPS.KVM_CAP_NR_MEMSLOTS, NR_MEMSLOTS],
  [CAPS.KVM_CAP_PIT, 1],
  [CAPS.KVM_CAP_NOP_IO_DELAY, 1],
  [CAPS.KVM_CAP_MP_STATE, 1],
  [CAPS.KVM_CAP_SYNC_MMU, 1],
  [CAPS.KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1],
  [CAPS.KVM_CAP_USER_NMI, 1],
  [CAPS.KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1],
  [CAPS.KVM_CAP_IRQFD, 1],
  [CAPS.KVM_CAP_PIT2, 1],
  [CAPS.KVM_CAP_SET_BOOT_CPU_ID, 1],
  [CAPS.KVM_CAP_IOEVENTFD, 1],
  [CAPS.KVM_CAP_SET_IDENTITY_MAP_ADDR, 1],
  [CAPS.KVM_CAP_ADJUST_CLOCK, CLOCK_FLAGS],
  [CAPS.KVM_CAP_INTERNAL_ERROR_DATA, 1],
  [CAPS.KVM_CAP_VCPU_EVENTS, 1],
  [CAPS.KVM_CAP_ENABLE_CAP, 1],
  [CAPS.KVM_CAP_XCRS, 1],
  [CAPS.KVM_CAP_TSC_CONTROL, 1],
  [CAPS.KVM_CAP_GET_TSC_KHZ, 1],
  [CAPS.KVM_CAP_MAX_VCPUS, MAX_VCPUS],
  [CAPS.KVM_CAP_TSC_DEADLINE_TIMER, 1],
  [CAPS.KVM_CAP_SIGNAL_MSI, 1],
  [CAPS.KVM_CAP_READONLY_MEM, 1],
  [CAPS.KVM_CAP_IRQFD_RESAMPLE, 1],
  [CAPS.KVM_CAP_EXT_EMUL_CPUID, 1],
  [CAPS.KVM_CAP_ENABLE_CAP_VM, 1],
  [CAPS.KVM_CAP_IOEVENTFD_NO_LENGTH, 1],
  [CAPS.KVM_CAP_CHECK_EXTENSION_VM, 1],
  [CAPS.KVM_CAP_DISABLE_QUIRKS, 1],
  [CAPS.KVM_CAP_SPLIT_IRQCHIP, 1],
  [CAPS.KVM_CAP_IOEVENTFD_ANY_LENGTH, 1],
  [CAPS.KVM_CAP_MAX_VCPU_ID, MAX_VCPU_IDS],
  [CAPS.KVM_CAP_X2APIC_API, X2APIC_API_MASK],
  [CAPS.KVM_CAP_IMMEDIATE_EXIT, 1],
  [CAPS.KVM_CAP_X86_DISABLE_EXITS, DISABLE_EXITS_MASK],
  [CAPS.KVM_CAP_GET_MSR_FEATURES, 1],
  [CAPS.KVM_CAP_X86_USER_SPACE_MSR, 1],
  [CAPS.KVM_CAP_X86_MSR_FILTER, 1],
  [CAPS.KVM_CAP_EXIT_HYPERCALL, EXIT_HYPERCALL_MASK],
  [CAPS.KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1],
  [CAPS.KVM_CAP_DISABLE_QUIRKS2, QUIRKS_MASK],
  [CAPS.KVM_CAP_USER_MEMORY2, 1],
  [CAPS.KVM_CAP_MEMORY_FAULT_INFO, 1],
  [CAPS.KVM_CAP_VM_TYPES, VM_TYPE_MASK],
  [CAPS.KVM_CAP_PRE_FAULT_MEMORY, 1],
]);

/** KVM_CHECK_EXTENSION; `type` of the VM that is asked, null for /dev/kvm, which answers for a VM of any type. */
export function checkExtension(cap: number, type: number | null): number {
  switch (cap) {
    case CAPS.KVM_CAP_MEMORY_ATTRIBUTES:
      return type === null || hasPrivateMemory(type) ? MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
    case CAPS.KVM_CAP_GUEST_MEMFD:
      return 1;
    case CAPS.KVM_CAP_GUEST_MEMFD_FLAGS: {
      const asked = type ?? VM_TYPES.KVM_X86_DEFAULT_VM;
      return allowedGuestMemfdFlags({ hasPrivateMemory: hasPrivateMemory(asked), inPlace: false });
    }
    default:
      return ANSWERS.get(cap) ?? 0;
  }
}
