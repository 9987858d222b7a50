import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TraceEvent, TracePage } from '@unpin/contract';
import { traceLine } from '../../src/render/trace-event.ts';
import { TraceSummary } from '../../src/render/trace-summary.ts';

const place = { rip: '0xffffffff81c93ef0', symbol: 'native_safe_halt+0x10' };
const EVENTS: readonly TraceEvent[] = [
  { seq: 0, atNs: 12_345_678, kind: 'exit', reason: 'io', ns: 1234, port: 0x3f8, bytes: 1, direction: 'out' },
  { seq: 1, atNs: 0, kind: 'exit', reason: 'io', ns: 99, port: 0x1f0, bytes: 2, count: 256, direction: 'in' },
  { seq: 2, atNs: 1, kind: 'exit', reason: 'mmio', ns: 2e6, gpa: 0xfee0_0000, bytes: 4, direction: 'write' },
  { seq: 3, atNs: 2, kind: 'exit', reason: 'hypercall', ns: 5000, hypercall: 12 },
  { seq: 4, atNs: 3, kind: 'exit', reason: 'irq-window-open', ns: 5000 },
  {
    seq: 5,
    atNs: 3e12,
    ...place,
    kind: 'conversion',
    gpa: 2 ** 47,
    bytes: 2 ** 21,
    to: 'shared',
    ns: 7000,
    changedBytes: 2 ** 21,
    discardedBytes: 0,
    ret: -22,
  },
  {
    seq: 6,
    atNs: 4,
    rip: '0x100000',
    kind: 'fault',
    fault: 'wrong-view',
    gpa: 0x5000,
    bytes: 8,
    view: 'private',
    direction: 'read',
    attribute: 'shared',
  },
  {
    seq: 7,
    atNs: 5,
    ...place,
    kind: 'fault',
    fault: 'exception',
    vector: 14,
    errorCode: 6,
    address: '0x7fffdeadb000',
  },
  { seq: 8, atNs: 6, ...place, kind: 'sample', cpl: 0, halted: true },
];

const sample = (symbol: string, more: object = {}) =>
  ({ seq: 0, atNs: 0, kind: 'sample', rip: '0x1', symbol, cpl: 0, halted: false, ...more }) as const;

function page(events: readonly TraceEvent[], more: Partial<TracePage> = {}): TracePage {
  return { events: [...events], next: 0, lost: 0, totals: { ns: 1e9, exits: {} }, ...more };
}

describe('a trace for people', () => {
  test('is one line an event with what matters of it, its columns under each other', () => {
    const lines = EVENTS.map(traceLine);
    assert.deepEqual(lines, [
      '     12.346 ms  exit        io               0x3f8               out 1 B             1.2 µs',
      '      0.000 ms  exit        io               0x1f0               in 2 B × 256         99 ns',
      '      0.000 ms  exit        mmio             0xfee00000          write 4 B           2.0 ms',
      '      0.000 ms  exit        hypercall        12                                      5.0 µs',
      '      0.000 ms  exit        irq-window-open                                          5.0 µs',
      '3000000.000 ms  conversion  → shared         0x800000000000      2 MiB               7.0 µs  native_safe_halt+0x10 (0xffffffff81c93ef0)  changed 2 MiB, gave back 0 B, refused (-22)',
      '      0.000 ms  fault       wrong-view       0x5000              read 8 B                    0x100000  as private, reported shared',
      '      0.000 ms  fault       #PF              0x7fffdeadb000      error 0x6                   native_safe_halt+0x10 (0xffffffff81c93ef0)',
      '      0.000 ms  sample      halted                                                           native_safe_halt+0x10 (0xffffffff81c93ef0)',
    ]);
  });

  test('ends with exits by reason and their share of the time, and the hottest functions', () => {
    const summary = new TraceSummary();
    summary.add(page(EVENTS.slice(5, 8)));
    summary.add(page([sample('hot+0x1'), sample('hot+0x20'), sample('idle+0x3', { halted: true })]));
    const exits = { io: { count: 3, ns: 1e6 }, mmio: { count: 1, ns: 2e8 } };
    summary.add(page([sample('kernel+0x1', { cpl: 3 })], { lost: 2, totals: { ns: 1e9, exits } }));
    assert.deepEqual(summary.text().split('\n'), [
      'traced 1.00 s, 7 events, 2 lost: they came faster than they were read',
      'exits                       count     in VMM       each   of the time',
      '  mmio                          1     200 ms     200 ms    20.0 %',
      '  io                            3     1.0 ms     333 µs     0.1 %',
      '  all                           4     201 ms      50 ms    20.1 %',
      '  in the guest and KVM                799 ms               79.9 %',
      'faults and conversions',
      '  conversion to shared, refused          1',
      '  wrong-view                             1',
      '  #PF                                    1',
      'hottest of 4 samples',
      '  50.0 %  hot',
      '  25.0 %  idle (halted)',
      '  25.0 %  (user code)',
    ]);
  });

  test('says nothing of what was not traced', () => {
    const summary = new TraceSummary();
    summary.add(page([]));
    assert.equal(summary.text(), 'traced 1.00 s, 0 events');
  });
});
