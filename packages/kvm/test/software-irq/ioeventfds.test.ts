import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EventCounters } from '../../src/software/irq/event-counters.ts';
import { Ioeventfds } from '../../src/software/irq/ioeventfds.ts';
import { errnoOf, OTHER_FD } from './helpers/test-machine.ts';

const DATAMATCH = 1;
const PIO = 2;
const DEASSIGN = 4;
const AT = 0xfeb0_0000;

function host() {
  const counters = EventCounters.create(2000);
  return { counters, doorbells: new Ioeventfds(counters, (fd) => fd === OTHER_FD), event: counters.createEventFd() };
}

describe('ioeventfds', () => {
  test('a write of the length that is watched signals, another exits', () => {
    const { doorbells, event } = host();
    doorbells.set(event.fd, AT, 4);
    assert.equal(doorbells.signal('mmio', AT, 4, 0, 7), true);
    assert.equal(doorbells.signal('mmio', AT, 2, 0, 7), false);
    assert.equal(doorbells.signal('mmio', AT + 4, 4, 0, 7), false);
    assert.equal(doorbells.signal('pio', AT, 4, 0, 7), false);
    assert.equal(event.take(), 1);
  });

  test('length 0 watches any', () => {
    const { doorbells, event } = host();
    doorbells.set(event.fd, AT, 0);
    for (const length of [1, 2, 4, 8]) assert.equal(doorbells.signal('mmio', AT, length, 0, 0), true);
    assert.equal(event.take(), 4);
  });

  test('a value is compared whole, 64 bits', () => {
    const { doorbells, event } = host();
    doorbells.set(event.fd, AT, 8, DATAMATCH, 0x1_0000_0002n);
    assert.equal(doorbells.signal('mmio', AT, 8, 0, 2), false);
    assert.equal(doorbells.signal('mmio', AT, 8, 1, 2), true);
    assert.equal(event.take(), 1);
  });

  test('a closed eventfd hears nothing, and the write still does not exit', () => {
    const { doorbells, event } = host();
    doorbells.set(event.fd, AT, 4);
    event.close();
    assert.equal(doorbells.signal('mmio', AT, 4, 0, 0), true);
  });

  test('refusals have the kernel’s errno', () => {
    const { counters, doorbells, event } = host();
    const other = counters.createEventFd();
    const set = (...args: Parameters<Ioeventfds['set']>) => errnoOf(() => doorbells.set(...args));
    for (const length of [3, 5, 16, 4096]) assert.equal(set(event.fd, AT, length), 'EINVAL');
    assert.equal(set(event.fd, AT, 0, DATAMATCH, 1), 'EINVAL');
    assert.equal(set(event.fd, 2n ** 64n - 2n, 4), 'EINVAL');
    assert.equal(set(event.fd, AT, 4, 0x8000_0000), 'EINVAL');
    assert.equal(set(0xffff, AT, 4), 'EBADF');
    assert.equal(set(OTHER_FD, AT, 4), 'EINVAL');
    assert.equal(set(event.fd, AT, 4, DEASSIGN), 'ENOENT');
    assert.equal(set(event.fd, AT, 4, DATAMATCH, 1), 'accepted');
    assert.equal(set(other.fd, AT, 4, DATAMATCH, 2), 'accepted');
    assert.equal(set(other.fd, AT, 4, DATAMATCH, 1), 'EEXIST');
    assert.equal(set(other.fd, AT, 0), 'EEXIST');
    assert.equal(set(other.fd, AT, 4, PIO), 'accepted');
    assert.equal(set(other.fd, AT, 4, DATAMATCH | DEASSIGN, 1), 'ENOENT');
    assert.equal(set(event.fd, AT, 8, DATAMATCH | DEASSIGN, 1), 'ENOENT');
    assert.equal(set(event.fd, AT, 4, DATAMATCH | DEASSIGN, 1), 'accepted');
    assert.equal(doorbells.signal('mmio', AT, 4, 0, 1), false);
  });

  test('a VM has at most 1000', () => {
    const { doorbells, event } = host();
    for (let index = 0; index < 1000; index += 1) doorbells.set(event.fd, AT + index * 8, 8);
    assert.equal(
      errnoOf(() => doorbells.set(event.fd, AT - 8, 8)),
      'ENOSPC',
    );
  });
});
