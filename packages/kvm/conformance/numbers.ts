/**
 * Numbers of the KVM user API that rules speak of, as its document and headers give them. Written down here a second
 * time on purpose: a suite that took them from the code it judges could not see a wrong one.
 */
export const PAGE = 4096;

/** KVM_CAP_*: ids for KVM_CHECK_EXTENSION and KVM_ENABLE_CAP. */
export const CAP = {
  IRQCHIP: 0,
  HLT: 1,
  USER_MEMORY: 3,
  SET_TSS_ADDR: 4,
  EXT_CPUID: 7,
  NR_VCPUS: 9,
  NR_MEMSLOTS: 10,
  MP_STATE: 14,
  DESTROY_MEMORY_REGION_WORKS: 21,
  IRQFD: 32,
  PIT2: 33,
  IOEVENTFD: 36,
  SET_IDENTITY_MAP_ADDR: 37,
  ADJUST_CLOCK: 39,
  VCPU_EVENTS: 41,
  XSAVE: 55,
  XCRS: 56,
  TSC_CONTROL: 60,
  GET_TSC_KHZ: 61,
  MAX_VCPUS: 66,
  SIGNAL_MSI: 77,
  READONLY_MEM: 81,
  IRQFD_RESAMPLE: 82,
  EXT_EMUL_CPUID: 95,
  ENABLE_CAP_VM: 98,
  CHECK_EXTENSION_VM: 105,
  MULTI_ADDRESS_SPACE: 118,
  SPLIT_IRQCHIP: 121,
  IOEVENTFD_ANY_LENGTH: 122,
  MAX_VCPU_ID: 128,
  X2APIC_API: 129,
  IMMEDIATE_EXIT: 136,
  X86_DISABLE_EXITS: 143,
  GET_MSR_FEATURES: 153,
  EXCEPTION_PAYLOAD: 164,
  MANUAL_DIRTY_LOG_PROTECT2: 168,
  X86_USER_SPACE_MSR: 188,
  X86_MSR_FILTER: 189,
  X86_BUS_LOCK_EXIT: 193,
  EXIT_HYPERCALL: 201,
  EXIT_ON_EMULATION_FAILURE: 204,
  DISABLE_QUIRKS2: 213,
  X86_TRIPLE_FAULT_EVENT: 218,
  X86_NOTIFY_VMEXIT: 219,
  USER_MEMORY2: 231,
  MEMORY_FAULT_INFO: 232,
  MEMORY_ATTRIBUTES: 233,
  GUEST_MEMFD: 234,
  VM_TYPES: 235,
  PRE_FAULT_MEMORY: 236,
  GUEST_MEMFD_FLAGS: 244,
} as const;

/** KVM_X86_*_VM. */
export const VM_TYPE = { DEFAULT: 0, SW_PROTECTED: 1, SEV: 2, SEV_ES: 3, SNP: 4, TDX: 5 } as const;

/** KVM_MEM_*: flags of a memory region. */
export const MEM = { LOG_DIRTY_PAGES: 1, READONLY: 2, GUEST_MEMFD: 4 } as const;

/** GUEST_MEMFD_FLAG_*. */
export const GMEM = { MMAP: 1, INIT_SHARED: 2 } as const;

/** KVM_MEMORY_ATTRIBUTE_*. */
export const ATTRIBUTE_PRIVATE = 8;

/** KVM_MSR_EXIT_REASON_*: mask bits of KVM_CAP_X86_USER_SPACE_MSR, and the `why` of its exits. */
export const MSR_EXIT = { INVAL: 1, UNKNOWN: 2, FILTER: 4 } as const;

/** KVM_MSR_FILTER_*: of a range. */
export const MSR_FILTER = { READ: 1, WRITE: 2 } as const;
/** KVM_MSR_FILTER_DEFAULT_DENY: of the filter. */
export const MSR_FILTER_DEFAULT_DENY = 1;

/** KVM_IOEVENTFD_FLAG_*. */
export const IOEVENTFD = { DATAMATCH: 1, PIO: 2, DEASSIGN: 4 } as const;

/** KVM_IRQFD_FLAG_*. */
export const IRQFD = { DEASSIGN: 1, RESAMPLE: 2 } as const;

/** KVM_MP_STATE_*. */
export const MP_STATE = { RUNNABLE: 0, UNINITIALIZED: 1, HALTED: 3 } as const;

/** KVM_HC_*: hypercall numbers, in RAX. */
export const HYPERCALL = { VAPIC_POLL_IRQ: 1, MAP_GPA_RANGE: 12 } as const;

/** Error values of hypercalls, as the guest sees them negated. KVM_ENOSYS is 1000. */
export const HYPERCALL_ERROR = { EPERM: 1, EINVAL: 22, ENOSYS: 1000 } as const;

/** KVM_INTERNAL_ERROR_*. */
export const INTERNAL_ERROR_EMULATION = 1;

/** KVM_SEV_*: commands of KVM_MEMORY_ENCRYPT_OP. */
export const SEV = {
  INIT: 0,
  ES_INIT: 1,
  LAUNCH_START: 2,
  LAUNCH_UPDATE_DATA: 3,
  LAUNCH_UPDATE_VMSA: 4,
  LAUNCH_SECRET: 5,
  LAUNCH_MEASURE: 6,
  LAUNCH_FINISH: 7,
  GUEST_STATUS: 16,
  INIT2: 22,
  SNP_LAUNCH_START: 100,
  SNP_LAUNCH_UPDATE: 101,
  SNP_LAUNCH_FINISH: 102,
} as const;

/** Model-specific registers. */
export const MSR = {
  TSC: 0x10,
  APIC_BASE: 0x1b,
  PAT: 0x277,
  STAR: 0xc000_0081,
  LSTAR: 0xc000_0082,
  EFER: 0xc000_0080,
  FS_BASE: 0xc000_0100,
  KERNEL_GS_BASE: 0xc000_0102,
  /** No processor and no paravirtual interface has it. */
  NOBODYS: 0x0001_2345,
} as const;
