import { ACPI_TABLES } from '../layout.ts';
import { dsdt } from './dsdt.ts';
import { fadt } from './fadt.ts';
import { madt } from './madt.ts';
import { acpiTable, checksum, OEM, putText } from './table.ts';

/** The tables as they lie in guest memory. */
export interface AcpiTables {
  readonly gpa: number;
  readonly bytes: Uint8Array;
  readonly rsdpGpa: number;
}

/** FACS must be aligned to 64 (ACPI 6.5, 5.2.10); it does the others no harm. */
const ALIGNMENT = 64;
const FACS_BYTES = 64;
const RSDP_BYTES = 36;

/**
 * RSDP, XSDT and what they lead to: as much ACPI as power-off, reset, the IOAPIC and the local APICs need.
 * @param apicIds one a vCPU, in order
 */
export function acpiTables(apicIds: readonly number[] = [0]): AcpiTables {
  const area = new Area(ACPI_TABLES);
  const rsdp = new Uint8Array(RSDP_BYTES);
  const rsdpGpa = area.add(rsdp);
  const facsGpa = area.add(facs());
  const dsdtGpa = area.add(dsdt());
  const tables = [area.add(fadt(dsdtGpa, facsGpa)), area.add(madt(apicIds))];
  fillRsdp(rsdp, area.add(xsdt(tables)));
  return { gpa: ACPI_TABLES, bytes: area.bytes(), rsdpGpa };
}

/** Tables one behind the other, each aligned. */
class Area {
  readonly #base: number;
  readonly #parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  #end = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** @returns its guest-physical address */
  add(bytes: Uint8Array): number {
    const offset = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    this.#parts.push({ offset, bytes });
    this.#end = offset + bytes.length;
    return this.#base + offset;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.#end);
    for (const { offset, bytes } of this.#parts) all.set(bytes, offset);
    return all;
  }
}

/** Firmware ACPI control structure, version 2: there must be one; nothing here wakes or locks. */
function facs(): Uint8Array {
  const bytes = new Uint8Array(FACS_BYTES);
  putText(bytes, 0, 'FACS');
  new DataView(bytes.buffer).setUint32(4, FACS_BYTES, true);
  bytes[32] = 2;
  return bytes;
}

function xsdt(tables: readonly number[]): Uint8Array {
  const body = new Uint8Array(tables.length * 8);
  const view = new DataView(body.buffer);
  for (const [index, gpa] of tables.entries()) view.setBigUint64(index * 8, BigInt(gpa), true);
  return acpiTable('XSDT', 1, body);
}

/** Revision 2 (5.2.5.3): one checksum over the first 20 bytes, one over all. */
function fillRsdp(bytes: Uint8Array, xsdtGpa: number): void {
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, OEM);
  bytes[15] = 2;
  view.setUint32(20, RSDP_BYTES, true);
  view.setBigUint64(24, BigInt(xsdtGpa), true);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
}
