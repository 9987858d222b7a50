import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventCounters } from '../../src/software/irq/event-counters.ts';
import { InterruptControllers } from '../../src/software/irq/interrupt-controllers.ts';
import { TestClock } from './helpers/test-clock.ts';
import { errnoOf, TestCpu, TestMachine } from './helpers/test-machine.ts';

const EOI = 0xb0;

function bare() {
  const clock = new TestClock();
  const counters = EventCounters.create(4);
  const controllers = new InterruptControllers({ clock, counters, isOtherDescriptor: () => false });
  return { clock, counters, controllers };
}

describe('a VM’s interrupt controllers', () => {
  test('refusals of their creation have the kernel’s errno', () => {
    const { controllers } = bare();
    assert.equal(
      errnoOf(() => controllers.createPit2()),
      'ENOENT',
    );
    assert.equal(
      errnoOf(() => controllers.createIrqchip(1)),
      'EINVAL',
    );
    controllers.createIrqchip(0);
    assert.equal(
      errnoOf(() => controllers.createIrqchip(0)),
      'EEXIST',
    );
    controllers.createPit2();
    assert.equal(
      errnoOf(() => controllers.createPit2()),
      'EEXIST',
    );
  });

  test('without an irqchip: no local APIC, no ports, no lines, no messages; doorbells ring', () => {
    const { clock, counters, controllers } = bare();
    const event = counters.createEventFd();
    assert.equal(controllers.addVcpu({ id: 0, isBoot: true, tsc: clock, cpu: new TestCpu() }), null);
    assert.equal(
      errnoOf(() => controllers.setIrqLine(4, 1)),
      'ENXIO',
    );
    assert.equal(
      errnoOf(() => controllers.signalMsi(0xfee0_0000, 0x30)),
      'EINVAL',
    );
    assert.equal(
      errnoOf(() => controllers.irqfds.set(event.fd, 5)),
      'EINVAL',
    );
    assert.equal(
      errnoOf(() => controllers.getIrqchip(0)),
      'ENXIO',
    );
    assert.equal(controllers.readPort(0x20, new Uint8Array(1)), false);
    assert.equal(controllers.readMmio(null, 0xfec0_0000, new Uint8Array(4)), false);
    controllers.ioeventfds.set(event.fd, 0x510, 2, 2);
    assert.equal(controllers.writePort(0x510, new Uint8Array(2)), true);
    assert.equal(event.take(), 1);
    controllers.tick(1);
    assert.equal(controllers.nextDeadline(), Number.POSITIVE_INFINITY);
  });

  test('the virtual wire gives the 8259’s interrupt to the vCPU that boots, before its local APIC’s', () => {
    const vm = new TestMachine(2);
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0],
    ] as const)
      vm.out(port, value);
    // As a VMM's virtual wire: LINT0 external, switched on.
    vm.enable();
    vm.lapicWrite(0x350, 0x700);
    vm.controllers.signalMsi(0xfee0_0000, 0x91);
    vm.controllers.setIrqLine(5, 1);
    assert.equal(vm.controllers.hasInterrupt(vm.apic(1)), false);
    assert.equal(vm.take(), 0x25);
    assert.equal(vm.take(), 0x91);
    vm.lapicWrite(0x350, 0x1_0700);
    vm.controllers.setIrqLine(1, 1);
    assert.equal(vm.controllers.hasInterrupt(vm.apic(0)), false);
  });

  test('a line goes to the 8259 and to the IOAPIC’s pin of its number, also line 0', () => {
    const vm = new TestMachine();
    vm.enable();
    vm.controllers.createPit2();
    vm.redirect(0, 0x30);
    vm.out(0x43, 0x34);
    vm.out(0x40, 0x9c);
    vm.out(0x40, 0x2e);
    assert.ok(vm.controllers.nextDeadline() < Number.POSITIVE_INFINITY);
    vm.clock.time = vm.controllers.nextDeadline();
    vm.controllers.tick(vm.clock.time);
    assert.equal(vm.apic().pendingVector(), 0x30);
    for (const gsi of [16, 23, 24, 4096]) vm.controllers.setIrqLine(gsi, 1);
  });

  test('an end of interrupt at the IOAPIC lets the PIT’s next tick through', () => {
    const vm = new TestMachine();
    vm.enable();
    vm.controllers.createPit2();
    vm.out(0x21, 0xff);
    vm.redirect(0, 0x30);
    vm.out(0x43, 0x34);
    vm.out(0x40, 0x9c);
    vm.out(0x40, 0x2e);
    vm.advance(25e6);
    for (const expected of [0x30, 0x30, -1]) {
      assert.equal(vm.take(), expected);
      vm.lapicWrite(EOI, 0);
    }
  });

  test('a message answers how many took it; none is no error', () => {
    const vm = new TestMachine(2);
    assert.equal(vm.controllers.signalMsi(0xfee0_0000, 0x30), 0);
    for (const id of [0, 1]) vm.enable(id);
    assert.equal(vm.controllers.signalMsi(0xfee0_0000, 0x30), 1);
    assert.equal(vm.controllers.signalMsi(0xfeef_f000, 0x31), 2);
    assert.equal(vm.controllers.signalMsi(0xfee0_5000, 0x31), 0);
    vm.controllers.wideIds = true;
    assert.equal(
      errnoOf(() => vm.controllers.signalMsi(0x1_fee0_0000n, 0x31)),
      'EINVAL',
    );
    assert.equal(vm.controllers.signalMsi(0x100_fee0_0000n, 0x31), 0);
  });

  test('a doorbell in memory takes 64 bits; an address that is nobody’s exits', () => {
    const vm = new TestMachine();
    const event = vm.counters.createEventFd();
    vm.controllers.ioeventfds.set(event.fd, 0x1000_0000, 8, 1, 0x0807_0605_0403_0201n);
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    assert.equal(vm.controllers.writeMmio(vm.apic(), 0x1000_0000, data), true);
    assert.equal(event.take(), 1);
    assert.equal(vm.controllers.writeMmio(vm.apic(), 0x1000_0008, data), false);
    assert.equal(vm.controllers.readMmio(vm.apic(), 0x1000_0000, data), false);
  });
});
