import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FreeFrames } from '../../src/software/memory/free-frames.ts';
import { OutOfFramesError } from '../../src/software/memory/index.ts';
import { FIRST_FRAME, MiB, makeHost, PAGE, residentSet } from './helpers/host.ts';

describe('host frames', () => {
  test('are zeros, whole pages behind the first frame, and different ones', () => {
    const { memory } = makeHost(8);
    const addresses = Array.from({ length: 8 }, (_, page) => memory.allocate(1, page));
    assert.equal(new Set(addresses).size, 8);
    for (const address of addresses) {
      assert.equal(address % PAGE, 0);
      assert.ok(address >= FIRST_FRAME);
      assert.ok(memory.bytes(address).every((byte) => byte === 0));
    }
  });

  test('run out with an error that says how many there are', () => {
    const { memory } = makeHost(3);
    for (let page = 0; page < 3; page++) memory.allocate(1, page);
    assert.throws(
      () => memory.allocate(1, 3),
      (error: unknown) => error instanceof OutOfFramesError && error.frames === 3,
    );
  });

  test('are zeros again when they were freed and are used once more', () => {
    const { memory } = makeHost(1);
    const first = memory.allocate(1, 0);
    memory.bytes(first).fill(7);
    memory.tags[first / PAGE] = 3;
    memory.free(first);
    const second = memory.allocate(1, 1);
    assert.equal(second, first);
    assert.ok(memory.bytes(second).every((byte) => byte === 0));
    assert.equal(memory.tags[second / PAGE], 0);
  });

  test('that are freed go back to the operating system, a run of them in one call', () => {
    const pages = (64 * MiB) / PAGE;
    const { memory } = makeHost(pages);
    const addresses = Array.from({ length: pages }, (_, page) => memory.allocate(1, page));
    for (const address of addresses) memory.bytes(address).fill(1);
    assert.equal(memory.residentBytes(), 64 * MiB);
    const before = residentSet();
    for (const address of addresses.slice(0, pages / 2)) memory.free(address);
    memory.settle();
    assert.equal(memory.residentBytes(), 32 * MiB);
    const shrunk = before - residentSet();
    assert.ok(shrunk > 24 * MiB, `the process shrank by ${shrunk} bytes`);
    assert.equal(memory.figures().givenBackRuns, 1);
    assert.equal(memory.figures().usedFrames, pages / 2);
  });

  test('that are never touched cost nothing, however many there are', () => {
    const { memory } = makeHost((1024 * MiB) / PAGE);
    assert.equal(memory.residentBytes(), 0);
    memory.bytes(memory.allocate(1, 0))[0] = 1;
    assert.equal(memory.residentBytes(), PAGE);
  });

  test('that a pin holds outlive their owner', () => {
    const { memory } = makeHost(1);
    const address = memory.allocate(1, 0);
    memory.bytes(address).fill(9);
    memory.pin(address);
    memory.free(address);
    memory.settle();
    assert.equal(memory.bytes(address)[0], 9);
    assert.throws(() => memory.allocate(1, 1), OutOfFramesError);
    memory.unpin(address);
    memory.settle();
    assert.equal(memory.allocate(1, 1), address);
    assert.throws(() => memory.unpin(address), RangeError);
  });

  test('tell the listeners when they are freed', () => {
    const { memory } = makeHost(1);
    const told: number[] = [];
    const stop = memory.onChange((address) => told.push(address));
    const address = memory.allocate(1, 0);
    memory.free(address);
    stop();
    memory.free(memory.allocate(1, 0));
    assert.deepEqual(told, [address]);
  });
});

test('free frame numbers behave as a set whose lowest is taken', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('take' as const), frame: fc.constant(0) }),
    fc.record({ kind: fc.constantFrom('take-at' as const, 'put' as const), frame: fc.integer({ min: 5, max: 2999 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const free = new FreeFrames(5, 3000);
      const model = new Set(Array.from({ length: 2995 }, (_, at) => at + 5));
      for (const { kind, frame } of steps)
        switch (kind) {
          case 'take': {
            const lowest = model.size === 0 ? -1 : Math.min(...model);
            assert.equal(free.take(), lowest);
            model.delete(lowest);
            break;
          }
          case 'take-at':
            assert.equal(free.takeAt(frame), model.delete(frame));
            break;
          case 'put':
            if (!model.has(frame)) free.put(frame);
            model.add(frame);
            break;
        }
      assert.equal(free.count, model.size);
    }),
  );
});
