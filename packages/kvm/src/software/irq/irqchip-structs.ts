import { bytes, struct, u8, u16, u32, u64 } from '../../uapi/struct.ts';

/** KVM_GET_IRQCHIP's chips. */
export const IRQCHIP = { picMaster: 0, picSlave: 1, ioApic: 2 } as const;

/** One 8259. */
export const PIC_STATE = struct('kvm_pic_state', 16, {
  last_irr: u8(0),
  irr: u8(1),
  imr: u8(2),
  isr: u8(3),
  priority_add: u8(4),
  irq_base: u8(5),
  read_reg_select: u8(6),
  poll: u8(7),
  special_mask: u8(8),
  init_state: u8(9),
  auto_eoi: u8(10),
  rotate_on_auto_eoi: u8(11),
  special_fully_nested_mode: u8(12),
  init4: u8(13),
  elcr: u8(14),
  elcr_mask: u8(15),
});

export const IOAPIC_STATE = struct('kvm_ioapic_state', 216, {
  base_address: u64(0),
  ioregsel: u32(8),
  id: u32(12),
  irr: u32(16),
  redirtbl: bytes(24, 192),
});

export const PIT_CHANNEL_STATE = struct('kvm_pit_channel_state', 24, {
  count: u32(0),
  latched_count: u16(4),
  count_latched: u8(6),
  status_latched: u8(7),
  status: u8(8),
  read_state: u8(9),
  write_state: u8(10),
  write_latch: u8(11),
  rw_mode: u8(12),
  mode: u8(13),
  bcd: u8(14),
  gate: u8(15),
  count_load_time: u64(16),
});

export const PIT_STATE2 = struct('kvm_pit_state2', 112, { channels: bytes(0, 72), flags: u32(72) });
