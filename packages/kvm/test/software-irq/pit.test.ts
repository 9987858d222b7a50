import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { nanosecondsOf, PIT_FREQUENCY } from '../../src/software/irq/pit-channel.ts';
import { TestMachine } from './helpers/test-machine.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Nanoseconds of so many counts, and a little: the count is reached. */
const counts = (count: number): number => Math.ceil(nanosecondsOf(count)) + 1;

function withPit(flags = 1): TestMachine {
  const machine = new TestMachine();
  // The master 8259: vectors from 0x20, all lines open.
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x01],
    [0x21, 0x00],
  ] as const)
    machine.out(port, value);
  machine.controllers.createPit2(flags);
  return machine;
}

function program(machine: TestMachine, channel: number, mode: number, count: number): void {
  machine.out(0x43, (channel << 6) | 0x30 | (mode << 1));
  machine.out(0x40 + channel, count & 0xff);
  machine.out(0x40 + channel, (count >> 8) & 0xff);
}

function latched(machine: TestMachine, channel: number): number {
  machine.out(0x43, channel << 6);
  return machine.in(0x40 + channel) | (machine.in(0x40 + channel) << 8);
}

/** OUT of a channel, from its status. */
function output(machine: TestMachine, channel: number): number {
  machine.out(0x43, 0xe0 | (2 << channel));
  return machine.in(0x40 + channel) >> 7;
}

describe('the 8254', () => {
  test('counts down from any count: on and on in mode 0, from the top again in mode 2, by twos in mode 3', () => {
    const initial = fc.integer({ min: 2, max: 0x1_0000 });
    fc.assert(
      fc.property(
        initial,
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.constantFrom(0, 2, 3, 4),
        (count, time, mode) => {
          const machine = withPit();
          program(machine, 2, mode, count);
          machine.clock.time += time;
          const done = Math.floor((time * PIT_FREQUENCY) / 1e9);
          const value = latched(machine, 2);
          if (mode === 0 || mode === 4) assert.equal(value, (count - done) & 0xffff);
          else {
            const element = value === 0 ? 0x1_0000 : value;
            assert.ok(element >= 1 && element <= count, `${element} of ${count}`);
            assert.ok((count - element - done * (mode === 3 ? 2 : 1)) % count === 0);
          }
        },
      ),
    );
  });

  test('a count of 0 is 65,536', () => {
    for (const mode of [0, 2, 3]) {
      const machine = withPit();
      program(machine, 2, mode, 0);
      machine.clock.time += counts(0x8000);
      assert.equal(latched(machine, 2), mode === 3 ? 0 : 0x8000, `mode ${mode}`);
    }
  });

  test('a latched count stays while it is read, low byte first', () => {
    const machine = withPit();
    program(machine, 2, 0, 0x1234);
    machine.out(0x43, 0x80);
    machine.clock.time += counts(100);
    assert.equal(machine.in(0x42), 0x34);
    assert.equal(machine.in(0x42), 0x12);
    assert.equal(machine.in(0x42), (0x1234 - 100) & 0xff);
  });

  test('mode 0 ends with OUT high: what a guest calibrates its TSC by, through port 0x61', () => {
    const machine = withPit();
    machine.out(0x61, 1);
    program(machine, 2, 0, 59_659);
    machine.clock.time += counts(59_658);
    assert.equal(machine.in(0x61) & 0x20, 0);
    machine.clock.time += counts(1);
    assert.equal(machine.in(0x61) & 0x20, 0x20);
  });

  test('mode 3 is a square wave', () => {
    const machine = withPit();
    program(machine, 2, 3, 1000);
    assert.equal(output(machine, 2), 1);
    machine.clock.time += counts(500);
    assert.equal(output(machine, 2), 0);
    machine.clock.time += counts(500);
    assert.equal(output(machine, 2), 1);
  });

  test('a rising gate starts mode 3 anew', () => {
    const machine = withPit();
    program(machine, 2, 3, 1000);
    machine.clock.time += counts(300);
    machine.out(0x61, 1);
    assert.equal(latched(machine, 2), 1000);
  });

  test('channel 0 ticks once in modes 0 and 4, again and again in 2 and 3, never in 5', () => {
    for (const mode of [0, 4]) {
      const machine = withPit();
      program(machine, 0, mode, 11_932);
      machine.advance(counts(11_932));
      assert.equal(machine.take(), 0x20, `mode ${mode}`);
      assert.equal(machine.controllers.nextDeadline(), NEVER);
    }
    for (const mode of [2, 3]) {
      const machine = withPit();
      program(machine, 0, mode, 11_932);
      for (let tick = 0; tick < 3; tick += 1) {
        machine.advance(counts(11_932));
        assert.equal(machine.take(), 0x20, `mode ${mode}, tick ${tick}`);
        machine.out(0x20, 0x20);
      }
    }
    const machine = withPit();
    program(machine, 0, 5, 11_932);
    assert.equal(machine.controllers.nextDeadline(), NEVER);
  });

  test('a period is at least 200 µs', () => {
    const machine = withPit();
    program(machine, 0, 2, 10);
    machine.advance(counts(10));
    assert.ok(machine.controllers.nextDeadline() >= machine.clock.time + 199_000);
  });

  test('ticks that were missed come one by one, each after the end of the one before', () => {
    const machine = withPit();
    program(machine, 0, 2, 11_932);
    machine.advance(counts(3 * 11_932));
    for (let tick = 0; tick < 3; tick += 1) {
      assert.equal(machine.take(), 0x20, `tick ${tick}`);
      assert.equal(machine.take(), -1);
      machine.out(0x20, 0x20);
    }
    assert.equal(machine.take(), -1);
  });

  test('missed ticks are bounded, and forgotten where the line is unmasked', () => {
    const machine = withPit();
    program(machine, 0, 2, 11_932);
    machine.advance(3600e9);
    assert.equal(machine.controllers.pit?.pendingTicks, 1000);
    machine.out(0x21, 1);
    machine.out(0x21, 0);
    assert.equal(machine.controllers.pit?.pendingTicks, 0);
  });

  test('without KVM_PIT_SPEAKER_DUMMY port 0x61 is somebody else’s', () => {
    const machine = withPit(0);
    assert.equal(machine.controllers.readPort(0x61, new Uint8Array(1)), false);
    assert.equal(machine.controllers.writePort(0x61, new Uint8Array(1)), false);
  });

  test('a wide read of a byte register has zeros above', () => {
    const machine = withPit();
    program(machine, 2, 0, 0x1234);
    const data = Uint8Array.of(9, 9);
    machine.controllers.readPort(0x42, data);
    assert.deepEqual(data, Uint8Array.of(0x34, 0));
  });

  test('is saved as struct kvm_pit_state2; restored, channel 0 begins anew and channel 2 goes on', () => {
    const machine = withPit();
    program(machine, 0, 2, 11_932);
    program(machine, 2, 0, 50_000);
    machine.out(0x61, 3);
    machine.advance(counts(1000));
    const saved = machine.controllers.pit?.save() ?? new Uint8Array();
    assert.equal(saved.length, 112);
    const other = withPit();
    other.clock.time = machine.clock.time;
    other.controllers.pit?.restore(saved);
    assert.equal(latched(other, 2), 50_000 - 1000);
    assert.equal(other.in(0x61) & 3, 3);
    assert.equal(Math.round(other.controllers.nextDeadline() - other.clock.time), Math.round(nanosecondsOf(11_932)));
    // Time of another clock, far behind: the count is as old as the number says.
    assert.equal(new DataView(saved.buffer).getUint32(2 * 24 + 16, true), 1000);
  });
});
