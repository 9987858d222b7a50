import type { GpaRange } from '@unpin/kvm';
import { CONVENTIONAL_END, EBDA_END, EXTENDED_BASE } from './layout.ts';

/** E820 types (ACPI specification, "System Address Map Interfaces"). */
export const E820_TYPE = { ram: 1, reserved: 2, acpi: 3 } as const;
export type E820Type = (typeof E820_TYPE)[keyof typeof E820_TYPE];

/** One row of the map: bytes. */
export interface E820Entry {
  readonly gpa: number;
  readonly size: number;
  readonly type: E820Type;
}

/**
 * What firmware would report for this RAM: conventional memory up to the EBDA, nothing in the legacy hole but ACPI
 * tables where there are any, everything from 1 MiB on. Sorted, without overlaps.
 */
export function e820Table(ram: readonly GpaRange[], acpi: GpaRange | null): readonly E820Entry[] {
  const entries: E820Entry[] = [
    { gpa: 0, size: CONVENTIONAL_END, type: E820_TYPE.ram },
    { gpa: CONVENTIONAL_END, size: EBDA_END - CONVENTIONAL_END, type: E820_TYPE.reserved },
  ];
  if (acpi !== null) entries.push({ ...acpi, type: E820_TYPE.acpi });
  for (const range of ram) {
    const gpa = Math.max(range.gpa, EXTENDED_BASE);
    const size = range.gpa + range.size - gpa;
    if (size > 0) entries.push({ gpa, size, type: E820_TYPE.ram });
  }
  return entries;
}
