import { IRQ } from '../../devices/ports.ts';
import { IOAPIC_BASE, LAPIC_BASE } from '../layout.ts';
import { acpiTable } from './table.ts';

/** Flags of the table: the two 8259s are there as well. */
const PCAT_COMPAT = 1;
const ENABLED = 1;
/** Active high, level-triggered: how the SCI is wired here; ISA's own default is an edge. */
const HIGH_LEVEL = 0x000d;
const ALL_PROCESSORS = 0xff;

/**
 * Multiple APIC description table (ACPI 6.5, 5.2.12): a local APIC for each vCPU, KVM's IOAPIC, LINT1 as NMI.
 * Interrupt 0 needs no override: KVM's default routing has the PIT at IOAPIC pin 0.
 */
export function madt(apicIds: readonly number[]): Uint8Array {
  const rows = [
    u32(LAPIC_BASE),
    u32(PCAT_COMPAT),
    ...apicIds.map((id, index) => [0, 8, index, id, ...u32(ENABLED)]),
    [1, 12, 0, 0, ...u32(IOAPIC_BASE), ...u32(0)],
    [2, 10, 0, IRQ.acpi, ...u32(IRQ.acpi), HIGH_LEVEL, 0],
    [4, 6, ALL_PROCESSORS, 0, 0, 1],
  ];
  return acpiTable('APIC', 5, Uint8Array.from(rows.flat()));
}

function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}
