import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errnoOf, OTHER_FD, TestMachine } from './helpers/test-machine.ts';

const DEASSIGN = 1;
const RESAMPLE = 2;
const LEVEL = 0x8000;
const EOI = 0xb0;
const NO_SUCH_FD = 0xffff;

function machine(): TestMachine {
  const made = new TestMachine();
  made.enable();
  // The 8259s stay out of it.
  made.out(0x21, 0xff);
  made.redirect(5, 0x45);
  made.redirect(20, LEVEL | 0x54);
  return made;
}

describe('irqfds', () => {
  test('a signal is an edge on the line, however many there were', () => {
    const vm = machine();
    const event = vm.counters.createEventFd();
    vm.controllers.irqfds.set(event.fd, 5);
    event.signal(3);
    vm.advance(0);
    assert.equal(vm.take(), 0x45);
    vm.lapicWrite(EOI, 0);
    vm.advance(0);
    assert.equal(vm.take(), -1);
    assert.equal(event.take(), 0);
  });

  test('one that is signalled already interrupts when it is bound', () => {
    const vm = machine();
    const event = vm.counters.createEventFd();
    event.signal();
    vm.controllers.irqfds.set(event.fd, 5);
    assert.equal(vm.take(), 0x45);
  });

  test('with resampling the line stays up until the end of its interrupt, which is told', () => {
    const vm = machine();
    const [event, resample] = [vm.counters.createEventFd(), vm.counters.createEventFd()];
    vm.controllers.irqfds.set(event.fd, 20, RESAMPLE, resample.fd);
    event.signal();
    vm.advance(0);
    assert.equal(vm.take(), 0x54);
    assert.equal(resample.take(), 0);
    vm.lapicWrite(EOI, 0);
    assert.equal(resample.take(), 1);
    assert.equal(vm.take(), -1);
    event.signal();
    vm.advance(0);
    assert.equal(vm.take(), 0x54);
  });

  test('the 8259’s end of interrupt is told, too', () => {
    const vm = new TestMachine();
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 4],
      [0x21, 1],
      [0x21, 0],
      [0x4d0, 0x20],
    ] as const)
      vm.out(port, value);
    const [event, resample] = [vm.counters.createEventFd(), vm.counters.createEventFd()];
    vm.controllers.irqfds.set(event.fd, 5, RESAMPLE, resample.fd);
    event.signal();
    vm.advance(0);
    assert.equal(vm.take(), 0x25);
    vm.out(0x20, 0x20);
    assert.equal(resample.take(), 1);
    assert.equal(vm.take(), -1);
  });

  test('taken off, or closed, it is silent, and may be bound again', () => {
    const vm = machine();
    const event = vm.counters.createEventFd();
    vm.controllers.irqfds.set(event.fd, 5);
    vm.controllers.irqfds.set(event.fd, 5, DEASSIGN);
    event.signal();
    vm.advance(0);
    assert.equal(vm.take(), -1);
    vm.controllers.irqfds.set(event.fd, 5);
    assert.equal(vm.take(), 0x45);
    event.close();
    vm.advance(0);
  });

  test('an eventfd of one VM is another’s when the first one ends', () => {
    const vm = machine();
    const other = new TestMachine(1, vm.counters);
    const { fd } = vm.counters.createEventFd();
    vm.controllers.irqfds.set(fd, 5);
    assert.equal(
      errnoOf(() => other.controllers.irqfds.set(fd, 5)),
      'EBUSY',
    );
    vm.controllers.close();
    assert.equal(
      errnoOf(() => other.controllers.irqfds.set(fd, 5)),
      'accepted',
    );
  });

  test('a line is up while anybody holds it', () => {
    const vm = machine();
    const [event, resample] = [vm.counters.createEventFd(), vm.counters.createEventFd()];
    vm.controllers.irqfds.set(event.fd, 20, RESAMPLE, resample.fd);
    vm.controllers.setIrqLine(20, 1);
    event.signal();
    vm.advance(0);
    assert.equal(vm.take(), 0x54);
    vm.lapicWrite(EOI, 0);
    // The irqfd let go; user space still holds it.
    assert.equal(vm.take(), 0x54);
    vm.controllers.setIrqLine(20, 0);
    vm.lapicWrite(EOI, 0);
    assert.equal(vm.take(), -1);
  });

  test('refusals have the kernel’s errno', () => {
    const vm = machine();
    const { irqfds } = vm.controllers;
    const { fd } = vm.counters.createEventFd();
    assert.equal(
      errnoOf(() => irqfds.set(fd, 5, 0x8000_0000)),
      'EINVAL',
    );
    assert.equal(
      errnoOf(() => irqfds.set(NO_SUCH_FD, 5)),
      'EBADF',
    );
    assert.equal(
      errnoOf(() => irqfds.set(OTHER_FD, 5)),
      'EINVAL',
    );
    assert.equal(
      errnoOf(() => irqfds.set(fd, 5, RESAMPLE, NO_SUCH_FD)),
      'EBADF',
    );
    assert.equal(
      errnoOf(() => irqfds.set(fd, 5, DEASSIGN)),
      'accepted',
    );
    assert.equal(
      errnoOf(() => irqfds.set(NO_SUCH_FD, 5, DEASSIGN)),
      'EBADF',
    );
    irqfds.set(fd, 5);
    assert.equal(
      errnoOf(() => irqfds.set(fd, 6)),
      'EBUSY',
    );
  });
});
