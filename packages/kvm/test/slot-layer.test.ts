import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { CHUNK_PAGES, cutBuddies, type PageRun } from '../src/guest-memory/buddy.ts';
import { SlotLayer, type SlotPort } from '../src/guest-memory/slot-layer.ts';
import { SlotNumbers } from '../src/guest-memory/slot-numbers.ts';

/** KVM's rules for slots: a number is one slot, slots never overlap. Counts the pages whose mappings were taken down. */
class KvmRules implements SlotPort {
  readonly slots = new Map<number, PageRun>();
  pagesTakenDown = 0;
  create(slot: number, run: PageRun): void {
    assert.ok(!this.slots.has(slot), 'the number is free');
    assert.ok(run.end > run.start);
    for (const other of this.slots.values()) assert.ok(run.end <= other.start || run.start >= other.end, 'no overlap');
    this.slots.set(slot, run);
  }
  remove(slot: number): void {
    const run = this.slots.get(slot);
    assert.ok(run !== undefined, 'the slot exists');
    this.pagesTakenDown += run.end - run.start;
    this.slots.delete(slot);
  }
}

const RAM = 8 * CHUNK_PAGES + 100;

describe('slots of one view', () => {
  test('map exactly the pages asked for, within the rules of KVM and its number of slots', () => {
    const change = fc.tuple(fc.boolean(), fc.nat(RAM - 1), fc.integer({ min: 1, max: 3 * CHUNK_PAGES }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const kvm = new KvmRules();
        const layer = new SlotLayer(kvm, new SlotNumbers(200));
        const model = new Uint8Array(RAM).fill(1);
        layer.mapWhole({ start: 0, end: RAM });
        for (const [map, start, length] of changes) {
          const end = Math.min(RAM, start + length);
          if (map) layer.map(start, end);
          else layer.unmap(start, end);
          model.fill(map ? 1 : 0, start, end);
        }
        const seen = new Uint8Array(RAM);
        for (const { start, end } of kvm.slots.values()) seen.fill(1, start, end);
        assert.deepEqual(seen, model);
        assert.equal(kvm.slots.size, layer.count);
      }),
      { numRuns: 200 },
    );
  });

  test('a second change in a large range takes little down', () => {
    const kvm = new KvmRules();
    const layer = new SlotLayer(kvm, new SlotNumbers(32_764));
    const pages = 2 ** 28;
    layer.mapWhole({ start: 0, end: pages });
    layer.unmap(5 * CHUNK_PAGES, 6 * CHUNK_PAGES);
    assert.ok(layer.count < 30, `${layer.count} slots`);
    const before = kvm.pagesTakenDown;
    layer.unmap(7 * CHUNK_PAGES, 8 * CHUNK_PAGES);
    layer.map(5 * CHUNK_PAGES, 6 * CHUNK_PAGES);
    assert.ok(kvm.pagesTakenDown - before <= 4 * CHUNK_PAGES, 'not the whole range again');
  });

  test('when the numbers run out, slots are joined to their runs', () => {
    const kvm = new KvmRules();
    const numbers = new SlotNumbers(160);
    const layer = new SlotLayer(kvm, numbers);
    for (let chunk = 0; chunk < 1000; chunk++) layer.map(chunk * CHUNK_PAGES, (chunk + 1) * CHUNK_PAGES);
    assert.deepEqual(layer.mapped(), [{ start: 0, end: 1000 * CHUNK_PAGES }]);
    assert.ok(numbers.used <= 160);
  });

  test('pieces are aligned powers of two but for the edges', () => {
    const pieces = cutBuddies(3, 5 * CHUNK_PAGES + 7);
    assert.deepEqual(pieces, [
      { start: 3, end: CHUNK_PAGES },
      { start: CHUNK_PAGES, end: 2 * CHUNK_PAGES },
      { start: 2 * CHUNK_PAGES, end: 4 * CHUNK_PAGES },
      { start: 4 * CHUNK_PAGES, end: 5 * CHUNK_PAGES },
      { start: 5 * CHUNK_PAGES, end: 5 * CHUNK_PAGES + 7 },
    ]);
  });
});
