import { ACPI_PM, IRQ, PORT } from '../../devices/ports.ts';
import { acpiTable, TABLE_HEADER_BYTES } from './table.ts';

/** Fixed ACPI description table, revision 6 (ACPI 6.5, 5.2.9). Offsets in the table; widths in bytes. */
const FADT_BYTES = 276;
const FIELD = {
  firmwareControl: 36,
  dsdt: 40,
  sciInterrupt: 46,
  pm1aEventBlock: 56,
  pm1aControlBlock: 64,
  pm1EventLength: 88,
  pm1ControlLength: 89,
  century: 108,
  bootArchitecture: 109,
  flags: 112,
  resetRegister: 116,
  resetValue: 128,
  xDsdt: 140,
  xPm1aEventBlock: 148,
  xPm1aControlBlock: 172,
} as const;

/** IAPC_BOOT_ARCH: user-visible legacy devices; no 8042 is announced; no VGA. */
const BOOT_ARCHITECTURE = 0x0001 | 0x0004;
/** WBINVD works; C1 on all processors; no fixed power or sleep button; the reset register works. */
const FLAGS = (1 << 0) | (1 << 2) | (1 << 4) | (1 << 5) | (1 << 10);
/** The CMOS byte that holds the century. */
const CMOS_CENTURY = 0x32;
/** Generic address structure: system I/O space. */
const SYSTEM_IO = 1;

/** The PC kind of ACPI (not hardware-reduced), so that the kernel keeps its legacy interrupt lines. */
export function fadt(dsdtGpa: number, facsGpa: number): Uint8Array {
  const body = new Uint8Array(FADT_BYTES - TABLE_HEADER_BYTES);
  const view = new DataView(body.buffer);
  view.setUint32(at(FIELD.firmwareControl), facsGpa, true);
  view.setUint32(at(FIELD.dsdt), dsdtGpa, true);
  view.setBigUint64(at(FIELD.xDsdt), BigInt(dsdtGpa), true);
  view.setUint16(at(FIELD.sciInterrupt), IRQ.acpi, true);
  view.setUint32(at(FIELD.pm1aEventBlock), PORT.acpiPm + ACPI_PM.event, true);
  view.setUint32(at(FIELD.pm1aControlBlock), PORT.acpiPm + ACPI_PM.control, true);
  view.setUint8(at(FIELD.pm1EventLength), ACPI_PM.eventBytes);
  view.setUint8(at(FIELD.pm1ControlLength), ACPI_PM.controlBytes);
  view.setUint8(at(FIELD.century), CMOS_CENTURY);
  view.setUint16(at(FIELD.bootArchitecture), BOOT_ARCHITECTURE, true);
  view.setUint32(at(FIELD.flags), FLAGS, true);
  view.setUint8(at(FIELD.resetValue), ACPI_PM.resetValue);
  putPort(view, at(FIELD.resetRegister), PORT.acpiPm + ACPI_PM.reset, 8);
  putPort(view, at(FIELD.xPm1aEventBlock), PORT.acpiPm + ACPI_PM.event, ACPI_PM.eventBytes * 8);
  putPort(view, at(FIELD.xPm1aControlBlock), PORT.acpiPm + ACPI_PM.control, ACPI_PM.controlBytes * 8);
  return acpiTable('FACP', 6, body);
}

/** A field's place behind the header. */
function at(field: number): number {
  return field - TABLE_HEADER_BYTES;
}

/** A generic address structure: space, bit width, bit offset 0, access size undefined, address. */
function putPort(view: DataView, offset: number, port: number, bits: number): void {
  view.setUint8(offset, SYSTEM_IO);
  view.setUint8(offset + 1, bits);
  view.setBigUint64(offset + 4, BigInt(port), true);
}
