import { LAPIC } from './lapic-registers.ts';

/** sizeof(struct kvm_lapic_state): the register page's first KiB. */
export const LAPIC_STATE_BYTES = 0x400;

/**
 * The page as KVM_GET_LAPIC gives it. An x2APIC's id stands in bits 31:24 as an xAPIC's does, unless user space asked
 * for 32-bit ids (KVM_CAP_X2APIC_API); its ICR is split in two as an xAPIC's always.
 */
export function lapicStateOf(page: Uint32Array, isX2apic: boolean, wideIds: boolean): Uint8Array {
  const copy = page.slice();
  if (isX2apic && !wideIds) copy[LAPIC.id >>> 2] = ((copy[LAPIC.id >>> 2] ?? 0) << 24) >>> 0;
  return new Uint8Array(copy.buffer);
}

/** @throws RangeError for other than LAPIC_STATE_BYTES */
export function pageOfLapicState(bytes: Uint8Array, isX2apic: boolean, wideIds: boolean): Uint32Array {
  if (bytes.length !== LAPIC_STATE_BYTES)
    throw new RangeError(`struct kvm_lapic_state has ${LAPIC_STATE_BYTES} bytes, not ${bytes.length}`);
  const page = new Uint32Array(bytes.slice().buffer);
  if (isX2apic && !wideIds) page[LAPIC.id >>> 2] = (page[LAPIC.id >>> 2] ?? 0) >>> 24;
  return page;
}
