import { bytes, struct, tail, u8, u16, u32, u64 } from './struct.ts';

/** Structs of the vCPU ioctls. */
export const REGS = struct('kvm_regs', 144, {
  rax: u64(0),
  rbx: u64(8),
  rcx: u64(16),
  rdx: u64(24),
  rsi: u64(32),
  rdi: u64(40),
  rsp: u64(48),
  rbp: u64(56),
  r8: u64(64),
  r9: u64(72),
  r10: u64(80),
  r11: u64(88),
  r12: u64(96),
  r13: u64(104),
  r14: u64(112),
  r15: u64(120),
  rip: u64(128),
  rflags: u64(136),
});

export const SEGMENT = struct('kvm_segment', 24, {
  base: u64(0),
  limit: u32(8),
  selector: u16(12),
  type: u8(14),
  present: u8(15),
  dpl: u8(16),
  db: u8(17),
  s: u8(18),
  l: u8(19),
  g: u8(20),
  avl: u8(21),
  unusable: u8(22),
});

export const DTABLE = struct('kvm_dtable', 16, { base: u64(0), limit: u16(8) });

export const SREGS = struct('kvm_sregs', 312, {
  cs: bytes(0, 24),
  ds: bytes(24, 24),
  es: bytes(48, 24),
  fs: bytes(72, 24),
  gs: bytes(96, 24),
  ss: bytes(120, 24),
  tr: bytes(144, 24),
  ldt: bytes(168, 24),
  gdt: bytes(192, 16),
  idt: bytes(208, 16),
  cr0: u64(224),
  cr2: u64(232),
  cr3: u64(240),
  cr4: u64(248),
  cr8: u64(256),
  efer: u64(264),
  apic_base: u64(272),
  interrupt_bitmap: bytes(280, 32),
});

export const TRANSLATION = struct('kvm_translation', 24, {
  linear_address: u64(0),
  physical_address: u64(8),
  valid: u8(16),
  writeable: u8(17),
  usermode: u8(18),
});

export const INTERRUPT = struct('kvm_interrupt', 4, { irq: u32(0) });

export const MP_STATE = struct('kvm_mp_state', 4, { mp_state: u32(0) });

export const MSRS = struct('kvm_msrs', 8, { nmsrs: u32(0), entries: tail(8) });

export const MSR_ENTRY = struct('kvm_msr_entry', 16, { index: u32(0), data: u64(8) });

export const SIGNAL_MASK = struct('kvm_signal_mask', 4, { len: u32(0), sigset: tail(4) });

export const PRE_FAULT_MEMORY = struct('kvm_pre_fault_memory', 64, { gpa: u64(0), size: u64(8), flags: u64(16) });

/** Handed through as bytes: only their sizes matter here. */
export const FPU = struct('kvm_fpu', 416, {});
export const LAPIC_STATE = struct('kvm_lapic_state', 1024, {});
export const VCPU_EVENTS = struct('kvm_vcpu_events', 64, {});
export const DEBUGREGS = struct('kvm_debugregs', 128, {});
export const XSAVE = struct('kvm_xsave', 4096, {});
export const XCRS = struct('kvm_xcrs', 392, {});
