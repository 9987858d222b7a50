import { ACPI_PM } from '../../devices/ports.ts';
import { acpiTable } from './table.ts';

/** AML opcodes (ACPI 6.5, 20.3). */
const NAME = 0x08;
const PACKAGE = 0x12;
const BYTE = 0x0a;
const ZERO = 0x00;

/**
 * The differentiated table, all of it: Name (_S5, Package () { type, 0, 0, 0 }): what to write into PM1a control to
 * switch off. Devices are found where PCs have them.
 */
export function dsdt(): Uint8Array {
  const name = [...new TextEncoder().encode('_S5_')];
  const elements = [BYTE, ACPI_PM.sleepTypeOff, ZERO, ZERO, ZERO];
  // The package's length counts itself and the number of elements.
  const body = [NAME, ...name, PACKAGE, elements.length + 2, 4, ...elements];
  return acpiTable('DSDT', 2, Uint8Array.from(body));
}
