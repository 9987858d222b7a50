import { bytes, struct, tail, u32, u64 } from './struct.ts';

/** Structs of the VM ioctls. */
export const USERSPACE_MEMORY_REGION = struct('kvm_userspace_memory_region', 32, {
  slot: u32(0),
  flags: u32(4),
  guest_phys_addr: u64(8),
  memory_size: u64(16),
  userspace_addr: u64(24),
});

export const USERSPACE_MEMORY_REGION2 = struct('kvm_userspace_memory_region2', 160, {
  slot: u32(0),
  flags: u32(4),
  guest_phys_addr: u64(8),
  memory_size: u64(16),
  userspace_addr: u64(24),
  guest_memfd_offset: u64(32),
  guest_memfd: u32(40),
});

export const CREATE_GUEST_MEMFD = struct('kvm_create_guest_memfd', 64, {
  size: u64(0),
  flags: u64(8),
  reserved: bytes(16, 48),
});

export const MEMORY_ATTRIBUTES = struct('kvm_memory_attributes', 32, {
  address: u64(0),
  size: u64(8),
  attributes: u64(16),
  flags: u64(24),
});

export const ENC_REGION = struct('kvm_enc_region', 16, { addr: u64(0), size: u64(8) });

export const ENABLE_CAP = struct('kvm_enable_cap', 104, { cap: u32(0), flags: u32(4), args: bytes(8, 32) });

export const IRQ_LEVEL = struct('kvm_irq_level', 8, { irq: u32(0), level: u32(4) });

export const PIT_CONFIG = struct('kvm_pit_config', 64, { flags: u32(0) });

export const IRQFD = struct('kvm_irqfd', 32, { fd: u32(0), gsi: u32(4), flags: u32(8), resamplefd: u32(12) });

export const IOEVENTFD = struct('kvm_ioeventfd', 64, {
  datamatch: u64(0),
  addr: u64(8),
  len: u32(16),
  fd: u32(20),
  flags: u32(24),
});

export const MSI = struct('kvm_msi', 32, {
  address_lo: u32(0),
  address_hi: u32(4),
  data: u32(8),
  flags: u32(12),
  devid: u32(16),
});

export const MSR_FILTER_RANGE = struct('kvm_msr_filter_range', 24, {
  flags: u32(0),
  nmsrs: u32(4),
  base: u32(8),
  bitmap: u64(16),
});

export const MSR_FILTER = struct('kvm_msr_filter', 392, { flags: u32(0), ranges: bytes(8, 384) });

export const CLOCK_DATA = struct('kvm_clock_data', 48, {
  clock: u64(0),
  flags: u32(8),
  realtime: u64(16),
  host_tsc: u64(24),
});

export const DIRTY_LOG = struct('kvm_dirty_log', 16, { slot: u32(0), dirty_bitmap: u64(8) });

export const CPUID2 = struct('kvm_cpuid2', 8, { nent: u32(0), entries: tail(8) });

export const CPUID_ENTRY2 = struct('kvm_cpuid_entry2', 40, {
  function: u32(0),
  index: u32(4),
  flags: u32(8),
  eax: u32(12),
  ebx: u32(16),
  ecx: u32(20),
  edx: u32(24),
});

export const MSR_LIST = struct('kvm_msr_list', 4, { nmsrs: u32(0), indices: tail(4) });
