import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StartTrace } from '@unpin/contract';
import { ControlBlock } from '../../src/machine/control-block.ts';
import { Symbols } from '../../src/symbols/symbols.ts';
import { bitsOf } from '../../src/trace/kinds.ts';
import { FIELD, RECORD, TraceBuffer } from '../../src/trace/trace-buffer.ts';
import { TraceDesk } from '../../src/trace/trace-desk.ts';
import { TraceWriter } from '../../src/trace/trace-writer.ts';

const NOBODY = new AbortController().signal;

/** A desk whose machine is the test: its clock stands until it is moved. */
function desk() {
  const control = new ControlBlock();
  const buffer = TraceBuffer.create(64);
  const writer = new TraceWriter(buffer);
  const clock = { ms: 0 };
  let kicks = 0;
  const traces = new TraceDesk({
    control,
    buffer,
    symbols: new Symbols({ kind: 'probe', flavour: 'honest' }),
    kick: () => void kicks++,
    now: () => clock.ms,
    firstInstructionMs: () => 0,
  });
  const write = (tag: keyof typeof RECORD) => {
    const at = writer.begin();
    buffer.u32[at + FIELD.tag] = RECORD[tag];
    buffer.u32[at + FIELD.code] = 0;
    writer.publish();
  };
  const on = (...kinds: StartTrace['kinds']) => traces.start({ kinds });
  return { control, clock, traces, write, on, kicks: () => kicks };
}

/** Until the desk has looked at its clock again. */
async function looked(done: () => boolean): Promise<void> {
  for (let looks = 0; !done(); looks++) {
    assert.ok(looks < 2000, 'the desk never did it');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the desk of traces', () => {
  test('switches on what all traces together want, and off with the last, telling the machine each time', async (t) => {
    const { control, traces, on, kicks } = desk();
    t.after(() => traces.vmEnded());
    const first = on('conversions');
    const second = on('exits', 'faults');
    assert.equal(control.traced, bitsOf(['conversions', 'exits', 'faults']));
    await traces.end(first.trace, 0, NOBODY);
    assert.equal(control.traced, bitsOf(['exits', 'faults']));
    assert.equal((await traces.end(second.trace, 0, NOBODY)).over, 'told');
    assert.equal(control.traced, 0);
    assert.equal(kicks(), 4);
  });

  test('gives each trace its own kinds, from its start to its end', async () => {
    const { traces, write, on } = desk();
    write('conversion');
    const first = on('conversions');
    const second = on('exits');
    write('conversion');
    write('exit');
    const page = await traces.read(first.trace, first.since, 0, NOBODY);
    assert.deepEqual(
      page.events.map(({ kind, seq }) => [kind, seq]),
      [['conversion', 1]],
    );
    assert.deepEqual([page.next, page.lost, page.over], [3, 0, undefined]);
    await traces.end(first.trace, page.next, NOBODY);
    write('conversion');
    const last = await traces.read(first.trace, page.next, 0, NOBODY);
    assert.deepEqual([last.events, last.over], [[], 'told']);
    const other = await traces.end(second.trace, second.since, NOBODY);
    assert.deepEqual(
      other.events.map(({ seq }) => seq),
      [2],
    );
  });

  test('tells how much was overwritten before it was read', async () => {
    const { traces, write, on } = desk();
    const { trace, since } = on('exits');
    for (let n = 0; n < 100; n++) write('exit');
    const page = await traces.end(trace, since, NOBODY);
    assert.deepEqual([page.lost, page.events.length, page.next], [36, 64, 100]);
  });

  test('ends a trace whose time is over', async () => {
    const { control, clock, traces } = desk();
    const { trace } = traces.start({ kinds: ['exits'], durationMs: 500 });
    clock.ms = 499;
    assert.equal((await traces.read(trace, 0, 0, NOBODY)).over, undefined);
    clock.ms = 501;
    await looked(() => control.traced === 0);
    const { over, totals } = await traces.read(trace, 0, 0, NOBODY);
    assert.deepEqual([over, totals.ns], ['time', 500e6]);
  });

  test('ends and forgets a trace that nobody reads any more', async () => {
    const { control, clock, traces, on } = desk();
    const { trace, leaseMs } = on('samples');
    clock.ms = leaseMs - 1;
    await traces.read(trace, 0, 0, NOBODY);
    clock.ms += leaseMs - 1;
    assert.notEqual(control.traced, 0);
    clock.ms += 1;
    await looked(() => control.traced === 0);
    const asked = control.samplesWanted;
    await assert.rejects(traces.read(trace, 0, 0, NOBODY), { code: 'NOT_FOUND' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(control.samplesWanted, asked);
  });

  test('ends a trace whose reader goes away while it waits', async () => {
    const { control, traces, on } = desk();
    const { trace } = on('exits');
    const gone = new AbortController();
    const waiting = traces.read(trace, 0, 1000, gone.signal);
    gone.abort();
    assert.equal((await waiting).over, 'unread');
    assert.equal(control.traced, 0);
  });

  test('lets a reader wait for the first event', async (t) => {
    const { traces, write, on } = desk();
    t.after(() => traces.vmEnded());
    const { trace } = on('exits');
    const waiting = traces.read(trace, 0, 1000, NOBODY);
    setTimeout(() => write('exit'), 30);
    assert.equal((await waiting).events.length, 1);
  });

  test('asks for samples while someone wants them, and not otherwise', async () => {
    const { control, traces, on } = desk();
    const { trace } = on('exits');
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(control.samplesWanted, 0);
    const samples = traces.start({ kinds: ['samples'], everyMs: 1 });
    await looked(() => control.samplesWanted > 3);
    await traces.end(samples.trace, 0, NOBODY);
    await traces.end(trace, 0, NOBODY);
  });

  test('gives readers what is left when the VM ends, and waits for them', async () => {
    const { traces, write, on } = desk();
    const { trace } = on('exits');
    write('exit');
    traces.vmEnded();
    let finished = false;
    const finish = traces.finish().then(() => (finished = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(finished, false);
    const page = await traces.read(trace, 0, 0, NOBODY);
    assert.deepEqual([page.events.length, page.over], [1, 'vm-ended']);
    await finish;
    assert.throws(() => on('exits'), { code: 'CONFLICT' });
  });

  test('refuses more traces than there is room for', (t) => {
    const { traces, on } = desk();
    t.after(() => traces.vmEnded());
    for (let n = 0; n < 8; n++) on('exits');
    assert.throws(() => on('exits'), { code: 'CONFLICT' });
  });
});
