/** Port and interrupt numbers of a PC, all in one place: devices themselves know offsets only. */
export const PORT = {
  i8042Command: 0x64,
  rtc: 0x70,
  port92: 0x92,
  com1: 0x3f8,
  acpiPm: 0x600,
} as const;

/** Interrupt lines (GSIs, which are also the 8259's inputs). */
export const IRQ = { com1: 4, acpi: 9 } as const;

/** Offsets of ACPI's fixed registers from PORT.acpiPm, in bytes, and their values; the FADT and the DSDT say the same. */
export const ACPI_PM = {
  /** PM1 status and PM1 enable, two bytes each. */
  event: 0,
  eventBytes: 4,
  /** PM1 control. */
  control: 4,
  controlBytes: 2,
  /** The reset register, one byte, and what resets. */
  reset: 8,
  resetValue: 1,
  /** SLP_TYP of S5, soft off. */
  sleepTypeOff: 5,
  ports: 16,
} as const;
