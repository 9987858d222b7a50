import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TraceEvent } from '@unpin/contract';
import type { GuestException, Vcpu, VcpuExit } from '@unpin/kvm';
import { ControlBlock } from '../../src/machine/control-block.ts';
import { bitsOf } from '../../src/trace/kinds.ts';
import { TraceBuffer } from '../../src/trace/trace-buffer.ts';
import { traceEvent } from '../../src/trace/trace-event.ts';
import { TraceReader } from '../../src/trace/trace-reader.ts';
import { Tracer } from '../../src/trace/tracer.ts';

const RIP = 0xffff_ffff_8100_1234n;

/** A vCPU that stands at one place, and tells of exceptions when a test has one. */
class StandingVcpu {
  #told: ((exception: GuestException) => void) | null = null;
  get isListened(): boolean {
    return this.#told !== null;
  }
  tell(exception: GuestException) {
    this.#told?.(exception);
  }
  getRegs() {
    return { rip: RIP };
  }
  getSregs() {
    return { ss: { dpl: 3 } };
  }
  getMpState() {
    return 3;
  }
  trace(told: ((exception: GuestException) => void) | null) {
    this.#told = told;
  }
}

/** Times are the machine's; a conversion's is what it was given. */
function withoutTimes(event: TraceEvent) {
  const { atNs: _at, ...rest } = event;
  return rest.kind === 'exit' ? { ...rest, ns: 0 } : rest;
}

function machine() {
  const control = new ControlBlock();
  const buffer = TraceBuffer.create(64);
  const vcpu = new StandingVcpu();
  const tracer = new Tracer(vcpu as unknown as Vcpu, control, buffer);
  const reader = new TraceReader(buffer);
  const events = () =>
    reader
      .read(0, 99, () => true)
      .records.map((record) => traceEvent(record, { firstNs: 0, nameOf: () => 'here+0x1' }))
      .map(withoutTimes);
  return { control, buffer, vcpu, tracer, events };
}

const noReply = { complete: () => {}, refuse: () => {} };
const EXITS: readonly VcpuExit[] = [
  { kind: 'io', direction: 'out', port: 0x3f8, size: 1, count: 1, data: new Uint8Array(1) },
  { kind: 'io', direction: 'in', port: 0x1f0, size: 2, count: 256, data: new Uint8Array(512) },
  { kind: 'mmio', gpa: 2 ** 47 + 0x1000, size: 8, isWrite: true, data: new Uint8Array(8) },
  { kind: 'hypercall', nr: 12, arg: () => 0, setReturn: () => {}, longMode: true },
  { kind: 'rdmsr', index: 0xc001_0131, why: 2, ...noReply },
  { kind: 'wrmsr', index: 0x4b56_4d01, why: 4, high: 0, low: 1, complete: () => {}, refuse: () => {} },
  { kind: 'system-event', type: 1 },
  { kind: 'unsupported', reason: 99 },
  { kind: 'hlt' },
];

describe('a tracer', () => {
  test('writes what each exit was', () => {
    const { tracer, events } = machine();
    for (const exit of EXITS) {
      tracer.begin(bitsOf(['exits']), exit);
      tracer.end();
    }
    const common = { kind: 'exit', ns: 0 };
    assert.deepEqual(events(), [
      { seq: 0, ...common, reason: 'io', port: 0x3f8, bytes: 1, direction: 'out' },
      { seq: 1, ...common, reason: 'io', port: 0x1f0, bytes: 2, direction: 'in', count: 256 },
      { seq: 2, ...common, reason: 'mmio', gpa: 2 ** 47 + 0x1000, bytes: 8, direction: 'write' },
      { seq: 3, ...common, reason: 'hypercall', hypercall: 12 },
      { seq: 4, ...common, reason: 'rdmsr', msr: 0xc001_0131 },
      { seq: 5, ...common, reason: 'wrmsr', msr: 0x4b56_4d01 },
      { seq: 6, ...common, reason: 'system-event', code: 1 },
      { seq: 7, ...common, reason: 'unsupported', code: 99 },
      { seq: 8, ...common, reason: 'hlt' },
    ]);
  });

  test('puts what happened within an exit behind it, and all of it only when the exit is over', () => {
    const { tracer, events } = machine();
    tracer.begin(bitsOf(['exits', 'faults', 'conversions']), EXITS[2] as VcpuExit);
    const gpa = 0x5000;
    tracer.wrongView({ gpa, size: 8, view: 'private', isWrite: false, attribute: 'shared', saturated: false });
    tracer.conversion({
      atMs: 0,
      gpa,
      bytes: 2 ** 33,
      to: 'private',
      rip: RIP,
      changedBytes: 2 ** 33,
      discardedBytes: 4096,
      microseconds: 7,
      ret: -22,
    });
    assert.deepEqual(events(), []);
    tracer.end();
    const place = { rip: '0xffffffff81001234', symbol: 'here+0x1' };
    assert.deepEqual(events().slice(1), [
      {
        seq: 1,
        ...place,
        kind: 'fault',
        fault: 'wrong-view',
        gpa,
        bytes: 8,
        view: 'private',
        direction: 'read',
        attribute: 'shared',
      },
      {
        seq: 2,
        ...place,
        kind: 'conversion',
        gpa,
        bytes: 2 ** 33,
        to: 'private',
        changedBytes: 2 ** 33,
        discardedBytes: 4096,
        ns: 7000,
        ret: -22,
      },
    ]);
  });

  test('tells a memory fault as the exit that it is and as a fault', () => {
    const { tracer, events } = machine();
    tracer.begin(bitsOf(['exits', 'faults']), {
      kind: 'memory-fault',
      errno: 14,
      isPrivate: true,
      gpa: 0x7000,
      size: 4096,
    });
    tracer.end();
    assert.deepEqual(
      events().map(({ kind }) => kind),
      ['exit', 'fault'],
    );
    assert.equal((events()[1] as { view?: string }).view, 'private');
  });

  test('writes only the kinds that are traced in this exit', () => {
    const { tracer, events, buffer } = machine();
    tracer.begin(bitsOf(['samples']), EXITS[0] as VcpuExit);
    tracer.wrongView({ gpa: 0, size: 8, view: 'private', isWrite: true, attribute: 'shared', saturated: false });
    tracer.end();
    tracer.wrongView({ gpa: 0, size: 8, view: 'private', isWrite: true, attribute: 'shared', saturated: false });
    tracer.begin(bitsOf(['faults']), EXITS[0] as VcpuExit);
    tracer.end();
    // Nobody traces any more: this exit isn't begun.
    tracer.wrongView({ gpa: 0, size: 8, view: 'private', isWrite: true, attribute: 'shared', saturated: false });
    tracer.begin(bitsOf(['samples']), EXITS[0] as VcpuExit);
    tracer.end();
    assert.deepEqual(events(), []);
    assert.ok(buffer.totals.every((value) => value === 0));
  });

  test('takes one sample for each that was asked for, while samples are traced', () => {
    const { control, tracer, events } = machine();
    const kick = (kinds: number) => {
      if (kinds !== 0) tracer.begin(kinds, { kind: 'intr' });
      tracer.kicked();
      if (kinds !== 0) tracer.end();
    };
    control.requestSample();
    kick(0);
    kick(bitsOf(['samples']));
    assert.deepEqual(events(), []);
    control.requestSample();
    kick(bitsOf(['samples']));
    kick(bitsOf(['samples']));
    // User code has no symbol, whatever the kernel's table says of its address.
    assert.deepEqual(events(), [{ seq: 0, rip: '0xffffffff81001234', kind: 'sample', cpl: 3, halted: true }]);
  });

  test('listens to exceptions while faults are traced, where the vCPU tells of them', () => {
    const { control, vcpu, tracer, events } = machine();
    tracer.kicked();
    assert.equal(vcpu.isListened, false);
    control.trace(bitsOf(['faults']));
    tracer.kicked();
    const words = { addressHigh: 0x7fff, addressLow: 0xdead_b000, ripHigh: 0, ripLow: 0x40_1000 };
    vcpu.tell({ vector: 14, errorCode: 6, ...words });
    vcpu.tell({ vector: 6, errorCode: null, ...words });
    control.trace(0);
    tracer.kicked();
    assert.equal(vcpu.isListened, false);
    const common = { rip: '0x401000', symbol: 'here+0x1', kind: 'fault', fault: 'exception' };
    assert.deepEqual(events(), [
      { seq: 0, ...common, vector: 14, errorCode: 6, address: '0x7fffdeadb000' },
      { seq: 1, ...common, vector: 6 },
    ]);
  });

  test('counts exits and their time also where the ring has lost them', () => {
    const { tracer, buffer } = machine();
    for (let n = 0; n < 1000; n++) {
      tracer.begin(bitsOf(['exits']), EXITS[0] as VcpuExit);
      tracer.end();
    }
    assert.equal(buffer.totals[0], 1000);
    assert.ok((buffer.totals[1] ?? 0) > 0);
  });
});
