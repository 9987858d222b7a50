import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { TestMachine } from './helpers/test-machine.ts';

const EOI = 0xb0;
const TPR = 0x80;
const PPR = 0xa0;
const ICR_LOW = 0x300;
const ICR_HIGH = 0x310;
const LVT_TIMER = 0x320;
const LVT_LINT0 = 0x350;
const LVT_LINT1 = 0x360;
const INITIAL = 0x380;
const CURRENT = 0x390;
const DIVIDE = 0x3e0;
const BY_ONE = 0xb;
const SELF = 0x4_0000;
const OTHERS = 0xc_0000;
const ALL = 0x8_0000;

const words = () => ({ high: 0, low: 0 });

function enabled(vcpus = 1): TestMachine {
  const machine = new TestMachine(vcpus);
  for (let id = 0; id < vcpus; id += 1) machine.enable(id);
  return machine;
}

describe('priority', () => {
  test('the highest vector comes first, and holds the lower ones back until its end', () => {
    const machine = enabled();
    for (const vector of [0x31, 0x52]) machine.lapicWrite(ICR_LOW, SELF | vector);
    assert.equal(machine.take(), 0x52);
    assert.equal(machine.apic().pendingVector(), -1);
    machine.lapicWrite(EOI, 0);
    assert.equal(machine.take(), 0x31);
  });

  test('a vector of the class in service waits, one above interrupts it', () => {
    const machine = enabled();
    machine.lapicWrite(ICR_LOW, SELF | 0x41);
    assert.equal(machine.take(), 0x41);
    machine.lapicWrite(ICR_LOW, SELF | 0x4f);
    assert.equal(machine.apic().pendingVector(), -1);
    machine.lapicWrite(ICR_LOW, SELF | 0x50);
    assert.equal(machine.take(), 0x50);
  });

  test('the task priority holds its class and those below back; CR8 is its upper half', () => {
    const machine = enabled();
    machine.lapicWrite(ICR_LOW, SELF | 0x45);
    machine.lapicWrite(TPR, 0x40);
    assert.equal(machine.apic().cr8, 4);
    assert.equal(machine.apic().pendingVector(), -1);
    machine.apic().cr8 = 3;
    assert.equal(machine.lapicRead(TPR), 0x30);
    assert.equal(machine.apic().pendingVector(), 0x45);
  });

  test('the processor priority is all of the task priority, unless a higher class is in service', () => {
    const machine = enabled();
    machine.lapicWrite(ICR_LOW, SELF | 0x45);
    assert.equal(machine.take(), 0x45);
    for (const [task, processor] of [
      [0x3f, 0x40],
      [0x4a, 0x4a],
      [0x5b, 0x5b],
    ] as const) {
      machine.lapicWrite(TPR, task);
      assert.equal(machine.lapicRead(PPR), processor);
    }
  });

  test('of any requests, ends and task priorities the vector delivered is the highest above the processor priority', () => {
    type Step = { readonly request: number } | { readonly priority: number } | 'take' | 'end';
    const steps = fc.array(
      fc.oneof<fc.Arbitrary<Step>[]>(
        fc.record({ request: fc.integer({ min: 0x10, max: 0xff }) }),
        fc.record({ priority: fc.integer({ min: 0, max: 0xff }) }),
        fc.constant('take'),
        fc.constant('end'),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const machine = enabled();
        const requested = new Set<number>();
        const serviced: number[] = [];
        let task = 0;
        const ppr = () => Math.max(task >> 4, Math.max(0, ...serviced) >> 4);
        const expected = () => {
          const highest = Math.max(-1, ...requested);
          return highest >> 4 > ppr() ? highest : -1;
        };
        for (const step of list) {
          if (step === 'take') {
            const vector = expected();
            assert.equal(machine.take(), vector);
            if (vector >= 0) serviced.push(vector);
            requested.delete(vector);
          } else if (step === 'end') {
            machine.lapicWrite(EOI, 0);
            serviced.splice(serviced.indexOf(Math.max(...serviced)), serviced.length === 0 ? 0 : 1);
          } else if ('request' in step) {
            machine.lapicWrite(ICR_LOW, SELF | step.request);
            requested.add(step.request);
          } else {
            task = step.priority;
            machine.lapicWrite(TPR, task);
          }
          assert.equal(machine.apic().pendingVector(), expected());
          assert.equal(machine.lapicRead(PPR) >> 4, ppr());
        }
      }),
    );
  });
});

describe('messages between local APICs', () => {
  test('a fixed one reaches the APIC of its id, and no other', () => {
    const machine = enabled(3);
    machine.lapicWrite(ICR_HIGH, 2 << 24);
    machine.lapicWrite(ICR_LOW, 0x61);
    assert.deepEqual(
      machine.apics.map((apic) => apic.pendingVector()),
      [-1, -1, 0x61],
    );
  });

  test('shorthands reach all, all others, oneself', () => {
    const machine = enabled(2);
    machine.lapicWrite(ICR_LOW, ALL | 0x71);
    machine.lapicWrite(ICR_LOW, OTHERS | 0x72);
    machine.lapicWrite(ICR_LOW, SELF | 0x73);
    assert.deepEqual([machine.take(0), machine.take(1)], [0x73, 0x72]);
    for (const id of [0, 1]) machine.lapicWrite(EOI, 0, id);
    assert.deepEqual([machine.take(0), machine.take(1)], [0x71, 0x71]);
  });

  test('a flat logical destination is a set, a cluster one a cluster and a set', () => {
    const machine = enabled(3);
    for (const id of [0, 1, 2]) machine.lapicWrite(0xd0, 1 << (24 + id), id);
    machine.lapicWrite(ICR_HIGH, 0b101 << 24);
    machine.lapicWrite(ICR_LOW, 0x800 | 0x61);
    assert.deepEqual(
      machine.apics.map((apic) => apic.pendingVector()),
      [0x61, -1, 0x61],
    );

    const clusters = enabled(3);
    for (const id of [0, 1, 2]) {
      clusters.lapicWrite(0xe0, 0, id);
      clusters.lapicWrite(0xd0, [0x11, 0x12, 0x21].map((logical) => logical << 24)[id] ?? 0, id);
    }
    clusters.lapicWrite(ICR_HIGH, 0x13 << 24);
    clusters.lapicWrite(ICR_LOW, 0x800 | 0x61);
    assert.deepEqual(
      clusters.apics.map((apic) => apic.pendingVector()),
      [0x61, 0x61, -1],
    );
  });

  test('INIT, start-up and NMI go to the vCPU; a de-asserted INIT goes nowhere', () => {
    const machine = enabled(2);
    machine.lapicWrite(ICR_HIGH, 1 << 24);
    for (const low of [0xc500, 0x8500, 0x608, 0x400]) machine.lapicWrite(ICR_LOW, low);
    assert.deepEqual(
      machine.cpus.map(({ events }) => events),
      [[], ['init', 'startup 8', 'nmi']],
    );
  });

  test('an APIC that is switched off takes no fixed interrupt, but NMIs', () => {
    const machine = new TestMachine();
    machine.lapicWrite(ICR_LOW, SELF | 0x51);
    machine.lapicWrite(ICR_LOW, SELF | 0x400);
    assert.equal(machine.apic().pendingVector(), -1);
    assert.deepEqual(machine.cpus[0]?.events, ['nmi']);
  });
});

describe('the register page', () => {
  test('after reset: masked entries, no logical id, switched off, the virtual wire on the vCPU that boots', () => {
    const machine = new TestMachine(2);
    assert.equal(machine.lapicRead(0x20, 1), 1 << 24);
    assert.equal(machine.lapicRead(0x30), 0x5_0014);
    assert.equal(machine.lapicRead(0xe0), 0xffff_ffff);
    assert.equal(machine.lapicRead(0xf0), 0xff);
    assert.deepEqual([machine.lapicRead(LVT_LINT0, 0), machine.lapicRead(LVT_LINT0, 1)], [0x700, 0x1_0000]);
    assert.equal(machine.lapicRead(LVT_TIMER), 0x1_0000);
  });

  test('while it is switched off its entries stay masked', () => {
    const machine = enabled();
    machine.lapicWrite(LVT_LINT1, 0x400);
    assert.equal(machine.lapicRead(LVT_LINT1), 0x400);
    machine.lapicWrite(0xf0, 0xff);
    assert.equal(machine.lapicRead(LVT_LINT1), 0x1_0400);
    machine.lapicWrite(LVT_LINT1, 0x400);
    assert.equal(machine.lapicRead(LVT_LINT1), 0x1_0400);
  });

  test('bytes of a register are read, only whole registers are written', () => {
    const machine = new TestMachine();
    const { controllers } = machine;
    const byte = new Uint8Array(1);
    assert.equal(controllers.readMmio(machine.apic(), 0xfee0_0032, byte), true);
    assert.equal(byte[0], 5);
    assert.equal(controllers.writeMmio(machine.apic(), 0xfee0_0080, Uint8Array.of(0x20)), true);
    assert.equal(machine.lapicRead(TPR), 0);
  });

  test('moves with IA32_APIC_BASE; where there is none, its old place is not ours', () => {
    const machine = enabled();
    assert.equal(machine.apic().writeMsr(0x1b, 0, 0xfed0_0900), 'done');
    const data = new Uint8Array(4);
    assert.equal(machine.controllers.readMmio(machine.apic(), 0xfed0_0030, data), true);
    assert.equal(data[0], 0x14);
    assert.equal(machine.controllers.readMmio(machine.apic(), 0xfee0_0030, data), false);
  });

  test('LINT1 gives an NMI where its entry says so', () => {
    const machine = enabled();
    machine.lapicWrite(LVT_LINT1, 0x400);
    machine.apic().signalLint1();
    machine.lapicWrite(LVT_LINT1, 0x1_0400);
    machine.apic().signalLint1();
    assert.deepEqual(machine.cpus[0]?.events, ['nmi']);
  });

  test('is saved as struct kvm_lapic_state and restored, with a timer that goes on', () => {
    const machine = enabled();
    machine.lapicWrite(DIVIDE, BY_ONE);
    machine.lapicWrite(LVT_TIMER, 0x40);
    machine.lapicWrite(INITIAL, 1_000_000);
    machine.advance(400_000);
    machine.lapicWrite(ICR_LOW, SELF | 0x33);
    const saved = machine.apic().save();
    assert.equal(saved.length, 1024);
    assert.equal(new DataView(saved.buffer).getUint32(CURRENT, true), 600_000);

    const other = new TestMachine();
    other.clock.time = 5e9;
    assert.equal(other.apic().restore(saved), true);
    assert.equal(other.apic().pendingVector(), 0x33);
    assert.equal(other.apic().nextDeadline(), 5e9 + 600_000);
    assert.deepEqual(other.apic().save(), saved);
  });
});

describe('the timer', () => {
  test('one-shot: counts down by its divisor, fires once', () => {
    const machine = enabled();
    machine.lapicWrite(DIVIDE, 0x3);
    machine.lapicWrite(LVT_TIMER, 0x40);
    machine.lapicWrite(INITIAL, 1000);
    assert.equal(machine.apic().nextDeadline(), 1000 + 16_000);
    assert.equal(machine.lapicRead(CURRENT), 1000);
    machine.advance(8000);
    assert.equal(machine.lapicRead(CURRENT), 500);
    assert.equal(machine.apic().pendingVector(), -1);
    machine.advance(8000);
    assert.equal(machine.take(), 0x40);
    assert.equal(machine.lapicRead(CURRENT), 0);
    assert.equal(machine.apic().nextDeadline(), Number.POSITIVE_INFINITY);
  });

  test('periodic: fires on its grid; what was missed fires once', () => {
    const machine = enabled();
    machine.lapicWrite(DIVIDE, BY_ONE);
    machine.lapicWrite(LVT_TIMER, 0x2_0040);
    machine.lapicWrite(INITIAL, 1_000_000);
    const start = machine.clock.time;
    machine.advance(3_400_000);
    assert.equal(machine.take(), 0x40);
    machine.lapicWrite(EOI, 0);
    assert.equal(machine.take(), -1);
    assert.equal(machine.apic().nextDeadline(), start + 4_000_000);
    assert.equal(machine.lapicRead(CURRENT), 600_000);
  });

  test('a period is at least 200 µs', () => {
    const machine = enabled();
    machine.lapicWrite(DIVIDE, BY_ONE);
    machine.lapicWrite(LVT_TIMER, 0x2_0040);
    machine.lapicWrite(INITIAL, 10);
    assert.equal(machine.apic().nextDeadline(), machine.clock.time + 200_000);
  });

  test('masked, it fires unheard; an initial count of 0 stops it', () => {
    const machine = enabled();
    machine.lapicWrite(LVT_TIMER, 0x1_0040);
    machine.lapicWrite(INITIAL, 10);
    machine.advance(1e6);
    assert.equal(machine.apic().pendingVector(), -1);
    machine.lapicWrite(LVT_TIMER, 0x40);
    machine.lapicWrite(INITIAL, 10);
    machine.lapicWrite(INITIAL, 0);
    machine.advance(1e6);
    assert.equal(machine.apic().pendingVector(), -1);
  });

  test('another divisor scales what is left', () => {
    const machine = enabled();
    machine.lapicWrite(DIVIDE, BY_ONE);
    machine.lapicWrite(LVT_TIMER, 0x40);
    machine.lapicWrite(INITIAL, 1000);
    machine.advance(400);
    machine.lapicWrite(DIVIDE, 0);
    assert.equal(machine.lapicRead(CURRENT), 600);
    assert.equal(machine.apic().nextDeadline(), machine.clock.time + 1200);
  });

  test('TSC deadline: fires when the counter is there, at once when it is past, and disarms', () => {
    const machine = new TestMachine();
    const apic = machine.x2apic();
    assert.equal(apic.writeMsr(0x832, 0, 0x4_0044), 'done');
    assert.equal(apic.writeMsr(0x6e0, 1, 5), 'done');
    assert.equal(apic.nextDeadline(), 2 ** 32 + 5);
    const read = words();
    assert.equal(apic.readMsr(0x6e0, read), 'done');
    assert.deepEqual(read, { high: 1, low: 5 });
    machine.clock.time = 2 ** 32 + 5;
    machine.controllers.tick(machine.clock.time);
    assert.equal(machine.take(), 0x44);
    apic.readMsr(0x6e0, read);
    assert.deepEqual(read, { high: 0, low: 0 });
    apic.writeMsr(0x80b, 0, 0);
    apic.writeMsr(0x6e0, 0, 7);
    assert.equal(apic.pendingVector(), 0x44);
  });

  test('a deadline in another mode is dropped; leaving the mode disarms', () => {
    const machine = new TestMachine();
    const apic = machine.x2apic();
    apic.writeMsr(0x832, 0, 0x44);
    apic.writeMsr(0x6e0, 0, 9e6);
    assert.equal(apic.nextDeadline(), Number.POSITIVE_INFINITY);
    apic.writeMsr(0x832, 0, 0x4_0044);
    apic.writeMsr(0x6e0, 0, 9e6);
    assert.equal(apic.nextDeadline(), 9e6);
    apic.writeMsr(0x832, 0, 0x44);
    assert.equal(apic.nextDeadline(), Number.POSITIVE_INFINITY);
  });

  test('without CPUID’s bit there is no TSC-deadline mode', () => {
    const machine = enabled();
    machine.lapicWrite(LVT_TIMER, 0x4_0044);
    assert.equal(machine.lapicRead(LVT_TIMER), 0x44);
  });
});

describe('x2APIC', () => {
  test('ids have 32 bits, the logical id follows from them, the ICR is one register', () => {
    const machine = new TestMachine(20);
    const apic = machine.x2apic(18);
    const read = words();
    assert.equal(apic.readMsr(0x802, read), 'done');
    assert.deepEqual(read, { high: 0, low: 18 });
    apic.readMsr(0x80d, read);
    assert.equal(read.low, 0x1_0004);
    machine.x2apic(3);
    assert.equal(apic.writeMsr(0x830, 3, 0x55), 'done');
    assert.equal(machine.apic(3).pendingVector(), 0x55);
    apic.readMsr(0x830, read);
    assert.deepEqual(read, { high: 3, low: 0x55 });
  });

  test('the page is gone, and reads as an empty bus', () => {
    const machine = new TestMachine();
    machine.x2apic();
    assert.equal(machine.lapicRead(0x30), 0xffff_ffff);
  });

  test('a guest enters it from xAPIC mode and leaves it by switching off; user space may do otherwise', () => {
    const guest = new TestMachine().apic();
    guest.setFeatures({ x2apic: true, tscDeadline: true, physicalAddressBits: 40 });
    const modes = { off: 0xfee0_0100, xapic: 0xfee0_0900, x2apic: 0xfee0_0d00 };
    const write = (mode: keyof typeof modes, isHost = false) => guest.writeMsr(0x1b, 0, modes[mode], isHost);
    assert.deepEqual(
      (['x2apic', 'xapic', 'off', 'x2apic', 'xapic'] as const).map((mode) => write(mode)),
      ['done', 'refused', 'done', 'refused', 'done'],
    );
    assert.deepEqual(
      (['x2apic', 'xapic', 'off', 'x2apic'] as const).map((mode) => write(mode, true)),
      ['done', 'done', 'done', 'done'],
    );
    assert.equal(guest.writeMsr(0x1b, 1 << 8, modes.off), 'refused');
    const other = new TestMachine().apic();
    assert.equal(other.writeMsr(0x1b, 0, modes.x2apic, true), 'refused');
  });

  test('its registers are not there in xAPIC mode', () => {
    const machine = enabled();
    assert.equal(machine.apic().readMsr(0x802, words()), 'refused');
    assert.equal(machine.apic().writeMsr(0x80f, 0, 0x1ff), 'refused');
  });

  test('an end of interrupt, a self-IPI', () => {
    const machine = new TestMachine();
    const apic = machine.x2apic();
    assert.equal(apic.writeMsr(0x83f, 0, 0x77), 'done');
    assert.equal(machine.take(), 0x77);
    apic.writeMsr(0x83f, 0, 0x66);
    assert.equal(machine.take(), -1);
    assert.equal(apic.writeMsr(0x80b, 0, 0), 'done');
    assert.equal(machine.take(), 0x66);
  });
});
