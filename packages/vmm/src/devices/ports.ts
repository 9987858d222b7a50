/** Port and interrupt numbers of a PC, all in one place: devices themselves know offsets only. */
export const PORT = {
  i8042Command: 0x64,
  rtc: 0x70,
  port92: 0x92,
  com1: 0x3f8,
} as const;

/** Interrupt lines (GSIs, which are also the 8259's inputs). */
export const IRQ = { com1: 4, acpi: 9 } as const;
