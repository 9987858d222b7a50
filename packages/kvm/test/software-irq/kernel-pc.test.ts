/** The kernel's KVM as judge: a guest that does the same with its 8259s and its 8254 must see the same. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { lacksKvm } from '../helpers/kvm-access.ts';
import { KernelPcs, type PcStep } from './helpers/kernel-pc.ts';
import { TestMachine } from './helpers/test-machine.ts';

function ours(steps: readonly PcStep[], machine: TestMachine): readonly number[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'out':
        machine.out(step.port, step.value);
        return [];
      case 'in':
        return [machine.in(step.port)];
      case 'line':
        machine.controllers.setIrqLine(step.gsi, step.level);
        return [];
      case 'interrupt':
        return [machine.take()];
    }
  });
}

const out = (port: number, value: number): PcStep => ({ kind: 'out', port, value });
const read = (port: number): PcStep => ({ kind: 'in', port });
const byte = fc.integer({ min: 0, max: 255 });
const even = fc.constantFrom(0x20, 0xa0);

/** ICW1 to ICW4, now and then without the last; vectors above the processor's own. */
const initialise = fc
  .record({
    port: even,
    base: fc.integer({ min: 0x20, max: 0xff }),
    icw4: byte,
    hasIcw4: fc.constantFrom(1, 1, 0),
    mask: byte,
  })
  .map(({ port, base, icw4, hasIcw4, mask }): PcStep[] => [
    out(port, 0x10 | hasIcw4),
    out(port + 1, base),
    out(port + 1, port === 0x20 ? 4 : 2),
    ...(hasIcw4 === 1 ? [out(port + 1, icw4)] : []),
    out(port + 1, mask),
  ]);
/** OCW2 and OCW3 of all kinds. */
const command = fc
  .record({
    port: even,
    value: fc.oneof(
      byte.map((value) => value & 0xef),
      fc.constantFrom(0x0a, 0x0b, 0x20),
    ),
  })
  .map(({ port, value }): PcStep[] => [out(port, value)]);
const mask = fc
  .record({ port: even, value: fc.oneof(byte, fc.constant(0)) })
  .map(({ port, value }) => [out(port + 1, value)]);
const levels = fc
  .record({ port: fc.constantFrom(0x4d0, 0x4d1), value: byte })
  .map(({ port, value }) => [out(port, value)]);
const line = fc
  .record({
    gsi: fc.integer({ min: 0, max: 15 }).filter((gsi) => gsi !== 2),
    level: fc.constantFrom<(0 | 1)[]>(0, 1, 1),
  })
  .map(({ gsi, level }): PcStep[] => [{ kind: 'line', gsi, level }]);
const look = fc.constantFrom(0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1).map((port) => [read(port)]);
const interrupt = fc.constant<PcStep[]>([{ kind: 'interrupt' }]);

/** Only what time doesn't move: neither OUT, nor counts, nor the refresh clock. */
function stable(values: readonly number[], ports: readonly number[]): number[] {
  return values.map((value, index) => value & (ports[index] === 0x61 ? 0x03 : 0x7f));
}

describe('PC chips, as the kernel has them', { skip: lacksKvm() }, () => {
  let kernel: KernelPcs;

  before(() => {
    kernel = new KernelPcs();
  });
  after(() => kernel.close());

  test('two 8259s: any initialisation, commands, masks, levels and lines', () => {
    const steps = fc.array(
      fc.oneof(
        { arbitrary: initialise, weight: 2 },
        { arbitrary: command, weight: 3 },
        { arbitrary: mask, weight: 1 },
        { arbitrary: levels, weight: 1 },
        { arbitrary: line, weight: 5 },
        { arbitrary: look, weight: 4 },
        { arbitrary: interrupt, weight: 4 },
      ),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const flat = [out(0x21, 0), out(0xa1, 0), ...list.flat()];
        assert.deepEqual(ours(flat, new TestMachine()), kernel.run(flat));
      }),
      { numRuns: 100 },
    );
  });

  test('the 8254: any control words, counts and latches leave the same status; port 0x61 the same gate', () => {
    const channel = fc.integer({ min: 0, max: 2 });
    const control = fc
      .record({ channel, value: fc.integer({ min: 0, max: 0x3f }) })
      .map(({ channel, value }) => [out(0x43, (channel << 6) | value)]);
    const count = fc.record({ channel, value: byte }).map(({ channel, value }) => [out(0x40 + channel, value)]);
    const speaker = byte.map((value) => [out(0x61, value), read(0x61)]);
    const readBack = byte.map((value) => [out(0x43, 0xc0 | (value & 0x1e))]);
    const status = channel.map((channel) => [out(0x43, 0xe0 | (2 << channel)), read(0x40 + channel)]);
    const steps = fc.array(fc.oneof(control, count, speaker, readBack, status), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, (list) => {
        const flat = list.flat();
        const ports = flat.flatMap((step) => (step.kind === 'in' ? [step.port] : []));
        const machine = new TestMachine();
        machine.controllers.createPit2(1);
        assert.deepEqual(stable(ours(flat, machine), ports), stable(kernel.run(flat, { pit: true }), ports));
      }),
      { numRuns: 60 },
    );
  });
});
