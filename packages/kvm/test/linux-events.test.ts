import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm16 } from '../conformance/guests/asm16.ts';
import { DEVICE_FLAGS } from '../src/uapi/index.ts';
import { noKvmHere, RealModeMachine } from './helpers/real-mode-machine.ts';

const skip = noKvmHere();

describe('event descriptors', { skip }, () => {
  test('a port write that an ioeventfd watches rings it and never leaves the kernel', async () => {
    const machine = new RealModeMachine([asm16.movDx(0x510), asm16.outAl, asm16.outAl, asm16.hlt].flat());
    const doorbell = machine.kvm.createEventFd();
    try {
      machine.vm.ioeventfd(doorbell.fd, 0x510, 1, DEVICE_FLAGS.KVM_IOEVENTFD_FLAG_PIO);
      const outcomes = await machine.perform([{ do: 'run' }]);
      assert.deepEqual(outcomes, [{ kind: 'hlt' }]);
      assert.equal(doorbell.take(), 2);
      assert.equal(doorbell.take(), 0);
    } finally {
      doorbell.close();
      machine.close();
    }
  });

  test('an irqfd interrupts a halted guest', async () => {
    // IRQ 4 at vector 0x24: the handler writes a port. The guest says on another port that the controller is set up:
    // an edge before that is dropped by the controller's initialization.
    const handler = [asm16.movDx(0x80), asm16.outAl].flat();
    const wake = [
      asm16.movAl(0x11),
      asm16.outImm8(0x20),
      asm16.movAl(0x20),
      asm16.outImm8(0x21),
      asm16.movAl(0x04),
      asm16.outImm8(0x21),
      asm16.movAl(0x01),
      asm16.outImm8(0x21),
      asm16.movAl(0xef),
      asm16.outImm8(0x21),
      asm16.outImm8(0x81),
      asm16.sti,
      asm16.hlt,
      asm16.spin,
    ].flat();
    const machine = new RealModeMachine(wake, (vm) => vm.createIrqchip());
    const line = machine.kvm.createEventFd();
    try {
      machine.memory.write(0x3000, Uint8Array.from(handler));
      machine.memory.write(0x24 * 4, Uint8Array.of(0x00, 0x30, 0, 0));
      machine.vm.irqfd(line.fd, 4);
      const outcomes = await machine.perform([{ do: 'run' }, { do: 'signal', fd: line.fd }, { do: 'run' }]);
      assert.deepEqual(
        outcomes.map((outcome) => [outcome.kind, outcome['port']]),
        [
          ['io', 0x81],
          ['signalled', undefined],
          ['io', 0x80],
        ],
      );
    } finally {
      line.close();
      machine.close();
    }
  });
});
