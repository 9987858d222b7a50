import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { EventCounters } from '../../src/software/irq/event-counters.ts';
import { SIGNALLED } from '../../src/software/irq/event-words.ts';
import { errnoOf } from './helpers/test-machine.ts';

describe('event counters', () => {
  test('add what is signalled, and are taken whole', () => {
    const event = EventCounters.create(4).createEventFd();
    assert.equal(event.take(), 0);
    event.signal();
    event.signal(5);
    assert.equal(event.take(), 6);
    assert.equal(event.take(), 0);
  });

  test('are exact over 32 bits', () => {
    const counts = fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** 34 }), fc.constantFrom(2 ** 32, 2 ** 32 - 1)), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(counts, (list) => {
        const event = EventCounters.create(1).createEventFd();
        for (const count of list) event.signal(count);
        assert.equal(
          event.take(),
          list.reduce((sum, count) => sum + count, 0),
        );
      }),
    );
  });

  test('have descriptors of their own that are never used again', () => {
    const counters = EventCounters.create(2);
    const seen = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      const [first, second] = [counters.createEventFd(), counters.createEventFd()];
      assert.equal(
        errnoOf(() => counters.createEventFd()),
        'EMFILE',
      );
      for (const event of [first, second]) {
        assert.ok(!seen.has(event.fd));
        seen.add(event.fd);
        event.close();
        assert.equal(counters.isOpen(event.fd), false);
        assert.equal(
          errnoOf(() => event.signal()),
          'EBADF',
        );
        assert.equal(
          errnoOf(() => event.take()),
          'EBADF',
        );
        assert.equal(
          errnoOf(() => event.close()),
          'EBADF',
        );
        assert.equal(
          errnoOf(() => counters.openEventFd(event.fd)),
          'EBADF',
        );
      }
    }
  });

  test('a new one is at 0 whatever was in its place', () => {
    const counters = EventCounters.create(1);
    const old = counters.createEventFd();
    old.signal(9);
    counters.bind(old.fd);
    old.close();
    const event = counters.createEventFd();
    assert.equal(event.take(), 0);
    assert.equal(counters.bind(event.fd), true);
  });

  test('a signal rings every vCPU of the host, until each has looked', () => {
    const counters = EventCounters.create(4);
    const { eventWords } = counters;
    const event = counters.createEventFd();
    const [first, second] = [eventWords.claim(), eventWords.claim()];
    assert.equal(eventWords.takeSignalled(first), false);
    event.signal();
    assert.equal(eventWords.takeSignalled(first), true);
    assert.equal(eventWords.takeSignalled(first), false);
    assert.equal(eventWords.takeSignalled(second), true);
  });

  test('looking for signals leaves a kick in the word', () => {
    const { eventWords } = EventCounters.create(1);
    const word = eventWords.claim();
    Atomics.or(eventWords.array, word, 1 | SIGNALLED);
    eventWords.takeSignalled(word);
    assert.equal(Atomics.load(eventWords.array, word), 1);
  });

  test('another thread signals through the shared memory and wakes a vCPU that sleeps on its word', async () => {
    const counters = EventCounters.create(4);
    const event = counters.createEventFd();
    const word = counters.eventWords.claim();
    const module = new URL('../../src/software/irq/event-counters.ts', import.meta.url).href;
    const code = `
      import { workerData } from 'node:worker_threads';
      const { EventCounters } = await import(workerData.module);
      const event = new EventCounters(workerData.handle).openEventFd(workerData.fd);
      for (let count = 0; count < 1000; count += 1) event.signal();
    `;
    const workerData = { module, handle: counters.handle, fd: event.fd };
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData });
    const ended = new Promise((resolve, reject) => {
      worker.once('exit', resolve);
      worker.once('error', reject);
    });
    let total = 0;
    while (total < 1000) {
      assert.notEqual(Atomics.wait(counters.eventWords.array, word, 0, 20_000), 'timed-out');
      counters.eventWords.takeSignalled(word);
      total += event.take();
    }
    assert.equal(total, 1000);
    await ended;
  });
});
