import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AcpiTables, acpiTables } from '../../src/boot/index.ts';
import { ACPI_PM, AcpiPm, PORT } from '../../src/devices/index.ts';

/** The tables as a kernel finds them: from the RSDP on. */
class Reader {
  readonly #tables: AcpiTables;
  constructor(tables: AcpiTables) {
    this.#tables = tables;
  }
  at(gpa: number, size: number): DataView {
    const offset = gpa - this.#tables.gpa;
    assert.ok(offset >= 0 && offset + size <= this.#tables.bytes.length, `0x${gpa.toString(16)} is inside the tables`);
    return new DataView(this.#tables.bytes.buffer, this.#tables.bytes.byteOffset + offset, size);
  }
  table(gpa: number): DataView {
    const table = this.at(gpa, this.at(gpa, 36).getUint32(4, true));
    assert.equal(sum(table), 0, `checksum of ${text(table, 0, 4)}`);
    return table;
  }
  byName(): Map<string, DataView> {
    const xsdt = this.table(Number(this.at(this.#tables.rsdpGpa, 36).getBigUint64(24, true)));
    assert.equal(text(xsdt, 0, 4), 'XSDT');
    const named = new Map<string, DataView>();
    for (let at = 36; at < xsdt.byteLength; at += 8) {
      const table = this.table(Number(xsdt.getBigUint64(at, true)));
      named.set(text(table, 0, 4), table);
    }
    return named;
  }
}
const text = (view: DataView, at: number, size: number) =>
  Buffer.from(view.buffer, view.byteOffset + at, size).toString('latin1');
const sum = (view: DataView) =>
  Buffer.from(view.buffer, view.byteOffset, view.byteLength).reduce((a, b) => (a + b) & 0xff, 0);
const tableOf = (named: Map<string, DataView>, name: string): DataView => {
  const table = named.get(name);
  assert.ok(table, name);
  return table;
};

describe('ACPI tables', () => {
  const tables = acpiTables([0, 1]);
  const reader = new Reader(tables);

  test('hang together from the RSDP on, with every checksum right', () => {
    const rsdp = reader.at(tables.rsdpGpa, 36);
    assert.equal(text(rsdp, 0, 8), 'RSD PTR ');
    assert.equal(sum(reader.at(tables.rsdpGpa, 20)), 0);
    assert.equal(sum(rsdp), 0);
    assert.equal(tables.rsdpGpa % 16, 0);
    const named = reader.byName();
    assert.deepEqual([...named.keys()], ['FACP', 'APIC']);
    const fadt = tableOf(named, 'FACP');
    assert.equal(fadt.byteLength, 276);
    const facs = reader.at(fadt.getUint32(36, true), 64);
    assert.equal(text(facs, 0, 4), 'FACS');
    assert.equal(fadt.getUint32(36, true) % 64, 0);
    assert.equal(text(reader.table(Number(fadt.getBigUint64(140, true))), 0, 4), 'DSDT');
    assert.equal(BigInt(fadt.getUint32(40, true)), fadt.getBigUint64(140, true));
  });

  test('tell of each vCPU, the IOAPIC, the SCI’s polarity and the NMI wire', () => {
    const madt = tableOf(reader.byName(), 'APIC');
    assert.equal(madt.getUint32(36, true), 0xfee0_0000);
    const rows: number[][] = [];
    for (let at = 44; at < madt.byteLength; at += madt.getUint8(at + 1))
      rows.push([...Buffer.from(madt.buffer, madt.byteOffset + at, madt.getUint8(at + 1))]);
    assert.deepEqual(rows, [
      [0, 8, 0, 0, 1, 0, 0, 0],
      [0, 8, 1, 1, 1, 0, 0, 0],
      [1, 12, 0, 0, 0x00, 0x00, 0xc0, 0xfe, 0, 0, 0, 0],
      [2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0],
      [4, 6, 0xff, 0, 0, 1],
    ]);
  });

  test('lead a guest that follows them to power-off and to reset', () => {
    const fadt = tableOf(reader.byName(), 'FACP');
    const dsdt = reader.table(fadt.getUint32(40, true));
    const aml = Buffer.from(dsdt.buffer, dsdt.byteOffset + 36, dsdt.byteLength - 36);
    const at = aml.indexOf('_S5_');
    assert.deepEqual([aml[at - 1], aml[at + 4], aml[at + 6], aml[at + 7]], [0x08, 0x12, 4, 0x0a]);
    assert.equal(aml[at + 5], aml.length - (at + 5), 'the package is the rest');
    const sleepType = aml[at + 8] ?? 0;

    const events: string[] = [];
    const device = new AcpiPm({ powerOff: () => events.push('off'), reset: () => events.push('reset') });
    const control = fadt.getUint32(64, true) - PORT.acpiPm;
    assert.equal(Number(fadt.getBigUint64(176, true)), control + PORT.acpiPm);
    const write16 = (value: number) => device.write(control, Uint8Array.of(value & 0xff, value >> 8));
    write16(sleepType << 10);
    assert.deepEqual(events, [], 'not before SLP_EN');
    for (let other = 0; other < 8; other += 1) if (other !== sleepType) write16((other << 10) | (1 << 13));
    assert.deepEqual(events, [], 'no other state');
    write16((sleepType << 10) | (1 << 13));
    assert.deepEqual(events, ['off']);
    device.write(Number(fadt.getBigUint64(120, true)) - PORT.acpiPm, Uint8Array.of(fadt.getUint8(128)));
    assert.deepEqual(events, ['off', 'reset']);
    assert.ok(control + 2 <= ACPI_PM.ports);
  });

  test('describe registers that say ACPI is on, that nothing has happened, and keep what is enabled', () => {
    const device = new AcpiPm({ powerOff: () => {}, reset: () => {} });
    const read16 = (offset: number) => {
      const data = new Uint8Array(2);
      device.read(offset, data);
      return (data[0] ?? 0) | ((data[1] ?? 0) << 8);
    };
    assert.equal(read16(ACPI_PM.control) & 1, 1);
    device.write(ACPI_PM.event + 2, Uint8Array.of(0x20, 0x01));
    assert.equal(read16(ACPI_PM.event + 2), 0x0120);
    device.write(ACPI_PM.event, Uint8Array.of(0xff, 0xff));
    assert.equal(read16(ACPI_PM.event), 0);
    device.write(ACPI_PM.control, Uint8Array.of(0, 0x14));
    assert.equal(read16(ACPI_PM.control), 0x1401);
  });
});
