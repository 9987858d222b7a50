import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm16 } from '../conformance/guests/asm16.ts';
import { CAPS, DEVICE_FLAGS } from '../src/uapi/index.ts';
import type { Outcome, Step } from './helpers/guest-steps.ts';
import { noKvmHere, RealModeMachine } from './helpers/real-mode-machine.ts';

const skip = noKvmHere();
const RUN: Step = { do: 'run' };

/** Runs code and answers what came of the steps. */
async function outcomesOf(
  code: readonly (readonly number[])[],
  steps: readonly Step[],
  prepare?: ConstructorParameters<typeof RealModeMachine>[1],
): Promise<{ readonly outcomes: readonly Outcome[]; readonly ram: Uint8Array }> {
  const machine = new RealModeMachine(code.flat(), prepare);
  try {
    return { outcomes: await machine.perform(steps), ram: machine.memory.read(0, machine.memory.size) };
  } finally {
    machine.close();
  }
}

describe('a vCPU that was opened from its handle in another thread', { skip }, () => {
  test('hands out port output with the bytes written, then the halt', async () => {
    const { outcomes } = await outcomesOf(
      [asm16.movDx(0x3f8), asm16.movEax(0x1234_5678), asm16.outAl, asm16.outAx, asm16.outEax, asm16.hlt],
      [RUN, RUN, RUN, RUN],
    );
    const io = { kind: 'io', direction: 'out', port: 0x3f8, count: 1 };
    assert.deepEqual(outcomes, [
      { ...io, size: 1, data: [0x78] },
      { ...io, size: 2, data: [0x78, 0x56] },
      { ...io, size: 4, data: [0x78, 0x56, 0x34, 0x12] },
      { kind: 'hlt' },
    ]);
  });

  test('gives the guest what the VMM puts into a port input', async () => {
    const { outcomes, ram } = await outcomesOf(
      [asm16.movDx(0x60), asm16.inAx, asm16.storeAx(0x2000), asm16.hlt],
      [{ do: 'run', data: [0xcd, 0xab] }, RUN],
    );
    assert.equal(outcomes[0]?.['direction'], 'in');
    assert.deepEqual([...ram.subarray(0x2000, 0x2002)], [0xcd, 0xab]);
  });

  test('hands out accesses to memory that is not there, and takes the answer to a read', async () => {
    const { outcomes, ram } = await outcomesOf(
      [
        asm16.movAx(0xf000),
        [0x8e, 0xd8], // mov ds, ax: DS based at 0xF0000, above the RAM
        asm16.movAl(0x5a),
        asm16.storeAl(0x0123),
        asm16.loadAx(0x0200),
        [0x2e, 0xa3, 0x00, 0x20], // mov cs:[0x2000], ax
        asm16.hlt,
      ],
      [RUN, { do: 'run', data: [0x11, 0x22] }, RUN],
    );
    assert.deepEqual(outcomes, [
      { kind: 'mmio', gpa: 0xf0123, size: 1, isWrite: true, data: [0x5a] },
      { kind: 'mmio', gpa: 0xf0200, size: 2, isWrite: false },
      { kind: 'hlt' },
    ]);
    assert.deepEqual([...ram.subarray(0x2000, 0x2002)], [0x11, 0x22]);
  });

  test('leaves filtered MSRs to user space, both ways', async () => {
    const EXIT_ON_FILTER = DEVICE_FLAGS.KVM_MSR_EXIT_REASON_FILTER;
    const { outcomes } = await outcomesOf(
      [
        asm16.movEcx(0xc001_0131),
        asm16.rdmsr,
        asm16.movEcx(0xc001_0130),
        asm16.wrmsr, // EDX:EAX is what was read
        asm16.hlt,
      ],
      [{ do: 'run', msr: [7, 0x8000_0001] }, { do: 'run', msr: [0, 0] }, RUN],
      (vm) => {
        vm.enableCap(CAPS.KVM_CAP_X86_USER_SPACE_MSR, [EXIT_ON_FILTER]);
        const flags = DEVICE_FLAGS.KVM_MSR_FILTER_READ | DEVICE_FLAGS.KVM_MSR_FILTER_WRITE;
        vm.setMsrFilter(DEVICE_FLAGS.KVM_MSR_FILTER_DEFAULT_ALLOW, [
          { flags, base: 0xc001_0130, count: 2, bitmap: new Uint8Array(8) },
        ]);
      },
    );
    assert.deepEqual(outcomes, [
      { kind: 'rdmsr', index: 0xc001_0131, why: EXIT_ON_FILTER },
      { kind: 'wrmsr', index: 0xc001_0130, why: EXIT_ON_FILTER, high: 7, low: 0x8000_0001 },
      { kind: 'hlt' },
    ]);
  });

  test('completes a pending read without running the guest on', async () => {
    const { outcomes } = await outcomesOf(
      [asm16.movDx(0x60), asm16.movEax(0), asm16.inAl, asm16.movAl(0x99), asm16.hlt],
      [{ do: 'run', data: [0x42] }, { do: 'complete' }, { do: 'regs' }, RUN, { do: 'regs' }],
    );
    assert.deepEqual(outcomes.slice(1), [
      { kind: 'completed' },
      { kind: 'regs', eax: 0x42, edx: 0x60 },
      { kind: 'hlt' },
      { kind: 'regs', eax: 0x99, edx: 0x60 },
    ]);
  });

  test('hands out the next part of a split access after the first was completed', async () => {
    // A read of two bytes across a page boundary without memory on either side is two exits on a page's edge.
    const { outcomes, ram } = await outcomesOf(
      [asm16.movAx(0xf000), [0x8e, 0xd8], asm16.loadAx(0x0fff), [0x2e, 0xa3, 0x00, 0x20], asm16.hlt],
      [{ do: 'run', data: [0x11] }, { do: 'complete' }, { do: 'run', data: [0x22] }, RUN],
    );
    assert.deepEqual(
      outcomes.map(({ kind, gpa }) => [kind, gpa]),
      [
        ['mmio', 0xf0fff],
        ['completed', undefined],
        ['mmio', 0xf1000],
        ['hlt', undefined],
      ],
    );
    assert.deepEqual([...ram.subarray(0x2000, 0x2002)], [0x11, 0x22]);
  });
});

describe('a kick', { skip }, () => {
  test('gets a guest that never exits out of its run', async () => {
    const machine = new RealModeMachine(asm16.spin);
    try {
      const outcomes = await machine.perform([RUN], (kicker) => setTimeout(() => kicker.kick(), 50));
      assert.deepEqual(outcomes, [{ kind: 'intr' }]);
    } finally {
      machine.close();
    }
  });

  test('that came before the run ends it at once, and many are as one', async () => {
    const { outcomes } = await outcomesOf([asm16.hlt], [{ do: 'kick', times: 100 }, RUN, RUN]);
    assert.deepEqual(outcomes.slice(1), [{ kind: 'intr' }, { kind: 'hlt' }]);
  });

  test('after another exit waits for the next run', async () => {
    const { outcomes } = await outcomesOf(
      [asm16.movDx(0x80), asm16.outAl, asm16.hlt],
      [RUN, { do: 'kick', times: 1 }, RUN, RUN],
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['io', 'kicked', 'intr', 'hlt'],
    );
  });

  test('is not taken by completing an exit', async () => {
    const { outcomes } = await outcomesOf(
      [asm16.movDx(0x80), asm16.inAl, asm16.hlt],
      [{ do: 'run', data: [1] }, { do: 'kick', times: 1 }, { do: 'complete' }, RUN, RUN],
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['io', 'kicked', 'completed', 'intr', 'hlt'],
    );
  });

  test('of a thread that has ended, or of one that runs no vCPU, does no harm', async () => {
    const machine = new RealModeMachine(asm16.hlt);
    try {
      const kickers: { kick(): void }[] = [];
      await machine.perform([RUN], (kicker) => kickers.push(kicker));
      for (const kicker of kickers) kicker.kick();
      assert.equal(kickers.length, 1);
      machine.kvm.openKicker({ backend: 'linux', tid: process.pid, runAddress: 0 }).kick();
    } finally {
      machine.close();
    }
  });
});
