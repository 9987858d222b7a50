import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestMachine } from './helpers/test-machine.ts';

const LEVEL = 0x8000;
const MASKED = 0x1_0000;
const REMOTE_IRR = 0x4000;
const EOI = 0xb0;

function machineWith(pin: number, entry: number): TestMachine {
  const machine = new TestMachine(2);
  for (const id of [0, 1]) machine.enable(id);
  // The 8259s stay out of it.
  machine.out(0x21, 0xff);
  machine.out(0xa1, 0xff);
  machine.redirect(pin, entry);
  return machine;
}

describe('the IOAPIC', () => {
  test('has 24 pins, version 0x11, all masked; other registers read as ones', () => {
    const machine = new TestMachine();
    assert.equal(machine.ioApicRead(1), 0x17_0011);
    for (let pin = 0; pin < 24; pin += 1) assert.equal(machine.ioApicRead(0x10 + 2 * pin), MASKED);
    assert.equal(machine.ioApicRead(0x40), 0xffff_ffff);
    machine.ioApicWrite(0, 0xffff_ffff);
    assert.deepEqual([machine.ioApicRead(0), machine.ioApicRead(2)], [0x0f00_0000, 0x0f00_0000]);
  });

  test('an edge interrupts once, at the destination of its entry', () => {
    const machine = machineWith(4, 0x34);
    machine.redirect(4, 0x34, 1 << 24);
    machine.controllers.setIrqLine(4, 1);
    machine.controllers.setIrqLine(4, 1);
    assert.deepEqual([machine.take(0), machine.take(1)], [-1, 0x34]);
    machine.lapicWrite(EOI, 0, 1);
    assert.equal(machine.take(1), -1);
    machine.controllers.setIrqLine(4, 0);
    machine.controllers.setIrqLine(4, 1);
    assert.equal(machine.take(1), 0x34);
  });

  test('a level interrupts until it goes down, once for each end', () => {
    const machine = machineWith(10, LEVEL | 0x55);
    machine.controllers.setIrqLine(10, 1);
    assert.equal(machine.take(), 0x55);
    assert.equal(machine.ioApicRead(0x10 + 20), LEVEL | REMOTE_IRR | 0x55);
    assert.equal(machine.take(), -1);
    machine.lapicWrite(EOI, 0);
    assert.equal(machine.take(), 0x55);
    machine.controllers.setIrqLine(10, 0);
    machine.lapicWrite(EOI, 0);
    assert.equal(machine.take(), -1);
    assert.equal(machine.ioApicRead(0x10 + 20), LEVEL | 0x55);
  });

  test('masked, an edge is lost and a level waits', () => {
    const machine = machineWith(4, MASKED | 0x34);
    machine.controllers.setIrqLine(4, 1);
    machine.redirect(4, 0x34);
    assert.equal(machine.take(), -1);
    const level = machineWith(10, MASKED | LEVEL | 0x55);
    level.controllers.setIrqLine(10, 1);
    assert.equal(level.take(), -1);
    level.redirect(10, LEVEL | 0x55);
    assert.equal(level.take(), 0x55);
  });

  test('a guest can’t write remote IRR, and clears it by making the entry edge-triggered', () => {
    const machine = machineWith(10, LEVEL | REMOTE_IRR | 0x1000 | 0x55);
    assert.equal(machine.ioApicRead(0x10 + 20), LEVEL | 0x55);
    machine.controllers.setIrqLine(10, 1);
    assert.equal(machine.ioApicRead(0x10 + 20), LEVEL | REMOTE_IRR | 0x55);
    machine.redirect(10, MASKED | 0x55);
    assert.equal(machine.ioApicRead(0x10 + 20), MASKED | 0x55);
  });

  test('a level that is never served lets the guest breathe after 10,000 times', () => {
    const machine = machineWith(10, LEVEL | 0x55);
    machine.controllers.setIrqLine(10, 1);
    for (let time = 0; time < 10_000; time += 1) {
      assert.equal(machine.take(), 0x55);
      machine.lapicWrite(EOI, 0);
    }
    assert.equal(machine.take(), -1);
    assert.equal(machine.controllers.nextDeadline(), machine.clock.time + 10e6);
    machine.advance(10e6);
    assert.equal(machine.take(), 0x55);
  });

  test('is saved as struct kvm_ioapic_state; restored, lines that are up are raised', () => {
    const machine = machineWith(10, LEVEL | MASKED | 0x55);
    machine.redirect(11, 0x66, 1 << 24);
    machine.controllers.setIrqLine(10, 1);
    const saved = machine.controllers.getIrqchip(2);
    assert.equal(saved.length, 216);
    const other = machineWith(10, MASKED);
    other.controllers.setIrqchip(2, saved);
    assert.deepEqual(other.controllers.getIrqchip(2), saved);
    other.redirect(10, LEVEL | 0x55);
    assert.equal(other.take(), 0x55);
  });
});
