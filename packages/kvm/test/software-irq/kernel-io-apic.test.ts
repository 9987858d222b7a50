/** The kernel's KVM as judge: the same redirection table and the same lines leave the same pins and local APICs. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type LinuxKvm, openLinuxKvm } from '../../src/linux/index.ts';
import { IOAPIC_STATE, IRQCHIP } from '../../src/software/irq/irqchip-structs.ts';
import { ioctlStruct } from '../../src/sys/ioctl.ts';
import { ior, iowr } from '../../src/uapi/ioctl-number.ts';
import { lacksKvm } from '../helpers/kvm-access.ts';
import { TestMachine } from './helpers/test-machine.ts';

/** struct kvm_irqchip: the chip's number, padding, and room for its state. */
const IRQCHIP_BYTES = 520;
const STATE = 8;
const GET_IRQCHIP = iowr(0xae, 0x62, IRQCHIP_BYTES);
const SET_IRQCHIP = ior(0xae, 0x63, IRQCHIP_BYTES);
const VCPUS = [0, 1];

function getState(vmFd: number): Uint8Array {
  const bytes = new Uint8Array(IRQCHIP_BYTES);
  bytes[0] = IRQCHIP.ioApic;
  ioctlStruct('KVM_GET_IRQCHIP', vmFd, GET_IRQCHIP, bytes);
  return bytes.slice(STATE, STATE + IOAPIC_STATE.size);
}

function setState(vmFd: number, state: Uint8Array): void {
  const bytes = new Uint8Array(IRQCHIP_BYTES);
  bytes[0] = IRQCHIP.ioApic;
  bytes.set(state, STATE);
  ioctlStruct('KVM_SET_IRQCHIP', vmFd, SET_IRQCHIP, bytes);
}

/** Fixed and lowest priority; now and then in service already, masked, or for nobody. */
const entry = fc
  .record({
    vector: fc.integer({ min: 0x10, max: 0xff }),
    mode: fc.constantFrom(0, 0, 0x100),
    level: fc.constantFrom(0, 0x8000),
    remoteIrr: fc.constantFrom(0, 0, 0x4000),
    masked: fc.constantFrom(0, 0, 0x1_0000),
    destination: fc.constantFrom(0, 1, 2, 0xff),
  })
  .map(({ vector, mode, level, remoteIrr, masked, destination }) => ({
    low: vector | mode | level | (level === 0 ? 0 : remoteIrr) | masked,
    high: (destination << 24) >>> 0,
  }));
const line = fc.record({ gsi: fc.integer({ min: 0, max: 23 }), level: fc.constantFrom<(0 | 1)[]>(0, 1) });

describe('IOAPIC, as the kernel has it', { skip: lacksKvm() }, () => {
  let kvm: LinuxKvm;

  before(() => {
    kvm = openLinuxKvm();
  });
  after(() => kvm.close());

  test('any redirection table, lines before and after it', () => {
    const table = fc.array(entry, { minLength: 24, maxLength: 24 });
    const lines = fc.array(line, { maxLength: 40 });
    fc.assert(
      fc.property(table, fc.integer({ min: 0, max: 0xff_ffff }), lines, (entries, raised, list) => {
        const vm = kvm.createVm(0);
        const machine = new TestMachine(VCPUS.length);
        try {
          vm.createIrqchip();
          const vcpus = VCPUS.map((id) => vm.createVcpu(id));
          for (const [id, vcpu] of vcpus.entries()) {
            const page = vcpu.getLapic();
            page[0xf1] = 1;
            vcpu.setLapic(page);
            machine.enable(id);
          }
          assert.deepEqual(machine.controllers.getIrqchip(IRQCHIP.ioApic), getState(vm.handle.fd), 'after creation');
          const state = IOAPIC_STATE.make().set('base_address', 0xfec0_0000).set('irr', raised);
          const redirections = new DataView(state.part('redirtbl').buffer, 24);
          for (const [pin, { low, high }] of entries.entries()) {
            redirections.setUint32(pin * 8, low, true);
            redirections.setUint32(pin * 8 + 4, high, true);
          }
          setState(vm.handle.fd, state.bytes);
          machine.controllers.setIrqchip(IRQCHIP.ioApic, state.bytes);
          for (const [number, step] of [null, ...list].entries()) {
            if (step !== null) {
              vm.irqLine(step.gsi, step.level);
              machine.controllers.setIrqLine(step.gsi, step.level);
            }
            const said = `step ${number}: ${JSON.stringify(step)}`;
            assert.deepEqual(machine.controllers.getIrqchip(IRQCHIP.ioApic), getState(vm.handle.fd), said);
            for (const [id, vcpu] of vcpus.entries())
              assert.deepEqual(machine.apic(id).save(), vcpu.getLapic(), `${said}: vCPU ${id}`);
          }
          for (const vcpu of vcpus) vcpu.close();
        } finally {
          vm.close();
        }
      }),
      { numRuns: 60 },
    );
  });
});
