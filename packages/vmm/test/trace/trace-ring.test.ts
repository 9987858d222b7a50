import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { FIELD, RECORD, TraceBuffer } from '../../src/trace/trace-buffer.ts';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import { TraceWriter } from '../../src/trace/trace-writer.ts';

const ALL = () => true;

const url = (name: string) => new URL(`../../src/trace/${name}.ts`, import.meta.url).href;

/** Samples told apart by their RIP. */
function write(buffer: TraceBuffer, writer: TraceWriter, rip: number): void {
  const at = writer.begin();
  buffer.u32[at + FIELD.tag] = RECORD.sample;
  buffer.u32[at + FIELD.ripLow] = rip;
  buffer.u32[at + FIELD.ripHigh] = rip;
}

describe('the ring of a trace', () => {
  test('gives every record once and in order, or counts it as lost', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 12 }) }),
        fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 10 }) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const buffer = TraceBuffer.create(8);
        const writer = new TraceWriter(buffer);
        const reader = new TraceReader(buffer);
        let written = 0;
        let next = 0;
        for (const step of script) {
          if (step.kind === 'write') {
            for (let n = 0; n < step.count; n++) write(buffer, writer, written++);
            writer.publish();
            continue;
          }
          const found = reader.read(next, step.limit, ALL);
          const oldest = Math.max(0, written - 8);
          assert.equal(found.lost, Math.max(0, oldest - next));
          const first = Math.max(next, oldest);
          const expected = Array.from({ length: Math.min(step.limit, written - first) }, (_, i) => first + i);
          assert.deepEqual(
            found.records.map(({ seq }) => seq),
            expected,
          );
          for (const { seq, record } of found.records)
            assert.equal(record.kind === 'sample' && record.rip, BigInt(seq) * 0x1_0000_0001n);
          assert.equal(found.next, first + expected.length);
          next = found.next;
        }
      }),
    );
  });

  test('shows a record only when it is published, and does not show one that is being overwritten', () => {
    const buffer = TraceBuffer.create(4);
    const writer = new TraceWriter(buffer);
    const reader = new TraceReader(buffer);
    write(buffer, writer, 0);
    assert.deepEqual(reader.read(0, 9, ALL), { records: [], next: 0, lost: 0 });
    writer.publish();
    for (let n = 1; n < 4; n++) write(buffer, writer, n);
    writer.publish();
    assert.equal(reader.read(0, 9, ALL).records.length, 4);
    write(buffer, writer, 4);
    const found = reader.read(0, 9, ALL);
    assert.deepEqual([found.lost, found.records[0]?.seq], [1, 1]);
  });

  test('counts as lost what was overwritten while it was read', () => {
    const buffer = TraceBuffer.create(4);
    const writer = new TraceWriter(buffer);
    for (let n = 0; n < 3; n++) write(buffer, writer, n);
    writer.publish();
    // Another thread, just when the reader has looked and begins to decode.
    const words = buffer.u32;
    let overtaken = false;
    const overtake = () => {
      if (!overtaken) {
        overtaken = true;
        for (let n = 3; n < 6; n++) write(buffer, writer, n);
      }
      return words;
    };
    Object.defineProperty(buffer, 'u32', { get: overtake });
    const found = new TraceReader(buffer).read(0, 9, ALL);
    assert.deepEqual([found.records.map(({ seq }) => seq), found.lost], [[2], 2]);
  });

  test('leaves out what is not wanted, and reads no further than it is told', () => {
    const buffer = TraceBuffer.create(4);
    const writer = new TraceWriter(buffer);
    const reader = new TraceReader(buffer);
    for (let n = 0; n < 3; n++) write(buffer, writer, n);
    writer.publish();
    assert.deepEqual(
      reader.read(0, 9, () => false),
      { records: [], next: 3, lost: 0 },
    );
    assert.equal(reader.read(0, 9, ALL, 2).next, 2);
  });

  test('goes on where the last writer ended, whatever that had begun', () => {
    const buffer = TraceBuffer.create(4);
    const first = new TraceWriter(buffer);
    write(buffer, first, 0);
    first.publish();
    write(buffer, first, 77);
    const second = new TraceWriter(buffer);
    write(buffer, second, 1);
    second.publish();
    const { records } = new TraceReader(buffer).read(0, 9, ALL);
    assert.deepEqual(
      records.map(({ record }) => record.kind === 'sample' && Number(record.rip & 0xffn)),
      [0, 1],
    );
  });

  test('refuses memory that is none', () => {
    assert.throws(() => new TraceBuffer(new SharedArrayBuffer(64)), RangeError);
  });

  test('never shows halves of two records while another thread overwrites them', async () => {
    const buffer = TraceBuffer.create(64);
    const records = 200_000;
    const source = `
      const { workerData } = require('node:worker_threads');
      Promise.all([import(workerData.buffers), import(workerData.writers)]).then(([{ TraceBuffer }, { TraceWriter }]) => {
        const buffer = new TraceBuffer(workerData.buffer);
        const writer = new TraceWriter(buffer);
        for (let n = 0; n < ${records}; n++) {
          const at = writer.begin();
          buffer.u32[at] = ${RECORD.sample};
          buffer.u32[at + ${FIELD.ripLow}] = n;
          buffer.u32[at + ${FIELD.ripHigh}] = n;
          writer.publish();
        }
      });`;
    const worker = new Worker(source, {
      eval: true,
      workerData: { buffers: url('trace-buffer'), writers: url('trace-writer'), buffer: buffer.buffer },
    });
    const reader = new TraceReader(buffer);
    let seen = 0;
    let lost = 0;
    let next = 0;
    while (next < records) {
      const found = reader.read(next, 1000, ALL);
      for (const { seq, record } of found.records)
        assert.equal(record.kind === 'sample' && record.rip, BigInt(seq) * 0x1_0000_0001n);
      seen += found.records.length;
      lost += found.lost;
      ({ next } = found);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(seen + lost, records);
    await worker.terminate();
  });
});
