/** The kernel's KVM as judge: the same MSR writes and MSIs, without running the guest, must leave the same registers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type LinuxKvm, openLinuxKvm } from '../../src/linux/index.ts';
import { KvmError } from '../../src/port/errors.ts';
import type { CpuidEntry } from '../../src/port/vcpu-state.ts';
import type { Vm } from '../../src/port/vm.ts';
import { lacksKvm } from '../helpers/kvm-access.ts';
import { TestMachine } from './helpers/test-machine.ts';

const VCPUS = [0, 1, 2];
const APIC_BASE = 0x1b;
const X2APIC = 0xfee0_0c00;
/** CPUID.1:ECX: x2APIC and TSC deadline. */
const FEATURES = (1 << 21) | (1 << 24);
const CURRENT_COUNT = 0x390;

type Step =
  | { readonly kind: 'msr'; readonly vcpu: number; readonly index: number; readonly high: number; readonly low: number }
  | { readonly kind: 'msi'; readonly address: number; readonly data: number };

const vcpu = fc.constantFrom(...VCPUS);
const word = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 1, 0xff, 0x1ff, 0x4_0030, 0x3_0044));
const anyMsr = fc.record({
  kind: fc.constant('msr' as const),
  vcpu,
  // The timer's counts are left out: they move by themselves on a real clock.
  index: fc.integer({ min: 0x800, max: 0x84f }).filter((index) => index !== 0x838 && index !== 0x839),
  high: fc.constantFrom(0, 0, 0, 1),
  low: word,
});
const ipi = fc.record({
  kind: fc.constant('msr' as const),
  vcpu,
  index: fc.constant(0x830),
  high: fc.constantFrom(0, 1, 2, 3, 0xffff_ffff, 0xff, 0x7),
  // Fixed and lowest priority only: the rest would need the guest to run.
  low: fc
    .record({
      vector: fc.integer({ min: 0, max: 255 }),
      lowest: fc.constantFrom(0, 0x100),
      logical: fc.constantFrom(0, 0x800),
      flags: fc.constantFrom(0, 0x1000, 0x4000, 0x8000, 0xc000),
      shorthand: fc.constantFrom(0, 1, 2, 3),
    })
    .map(({ vector, lowest, logical, flags, shorthand }) => vector | lowest | logical | flags | (shorthand << 18)),
});
const isToOneOfSet = ({ address, data }: { readonly address: number; readonly data: number }): boolean =>
  (address & 4) !== 0 && ((address & 8) !== 0 || (data & 0x100) !== 0);
/** A message to one of a set is lost on KVM where the set names APICs that aren't there and the vector chooses those. */
const namesNobody = (step: Step): boolean =>
  step.kind === 'msi'
    ? (step.address & 4) !== 0 &&
      ((step.address & 8) !== 0 || (step.data & 0x100) !== 0) &&
      (step.address & 0xf_8000) !== 0
    : step.index === 0x830 && (step.low & 0x900) === 0x900 && step.high > 7;
const ownIcr = (step: Step): boolean => step.kind === 'msi' || step.index !== 0x830 || (step.low & 0x600) === 0;
const msi = fc.record({
  kind: fc.constant('msi' as const),
  address: fc
    .record({ id: fc.constantFrom(0, 1, 2, 3, 7, 0xff), bits: fc.constantFrom(0, 4, 8, 12) })
    .map(({ id, bits }) => 0xfee0_0000 + (id << 12) + bits),
  data: fc
    .record({
      vector: fc.integer({ min: 0, max: 255 }),
      mode: fc.constantFrom(0, 0x100, 0x200, 0x700),
      level: fc.constantFrom(0, 0x8000, 0xc000),
    })
    .map(({ vector, mode, level }) => vector | mode | level),
});
/** The same for xAPICs, whose logical ids are any: a message to one names one. */
const oneOrAll = msi.filter((step) => !namesNobody(step) && (!isToOneOfSet(step) || (step.address & 0x6000) === 0));
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(anyMsr.filter(ownIcr), ipi, msi).filter((step) => !namesNobody(step)),
  {
    minLength: 1,
    maxLength: 40,
  },
);

/** Registers as text, one that can be read a line. */
function registers(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: 64 }, (_, slot) => slot * 16)
    .filter((offset) => offset !== CURRENT_COUNT)
    .map((offset) => `${offset.toString(16)}: ${view.getUint32(offset, true).toString(16)}`);
}

/** Switches an APIC on: KVM may choose one that isn't for a message to one, which is then lost. */
const enable = (page: DataView): void => page.setUint32(0xf0, 0x1ff, true);

/** EPERM is what KVM answers for 0 where its lookup table of destinations can't be used. */
function taken(vm: Vm, address: number, data: number): number {
  try {
    return vm.signalMsi(address, data);
  } catch (error) {
    if (error instanceof KvmError && error.code === 'EPERM') return 0;
    throw error;
  }
}

describe('local APIC, as the kernel has it', { skip: lacksKvm() }, () => {
  let kvm: LinuxKvm;
  let cpuid: readonly CpuidEntry[];

  before(() => {
    kvm = openLinuxKvm();
    cpuid = kvm.supportedCpuid().map((leaf) => (leaf.function === 1 ? { ...leaf, ecx: leaf.ecx | FEATURES } : leaf));
  });
  after(() => kvm.close());

  function compare(
    list: readonly Step[],
    modes: readonly ('xapic' | 'x2apic')[],
    prepare: (page: DataView, id: number) => void,
  ): void {
    const vm = kvm.createVm(0);
    const machine = new TestMachine(VCPUS.length);
    try {
      vm.createIrqchip();
      const vcpus = VCPUS.map((id) => vm.createVcpu(id));
      for (const [id, real] of vcpus.entries()) {
        real.setCpuid(cpuid);
        const ours = machine.apic(id);
        ours.setFeatures({ x2apic: true, tscDeadline: true, physicalAddressBits: 40 });
        if (modes[id] === 'x2apic') {
          assert.equal(real.setMsrs([{ index: APIC_BASE, value: BigInt(X2APIC) }]), 1);
          assert.equal(ours.writeMsr(APIC_BASE, 0, X2APIC, true), 'done');
        }
        const page = real.getLapic();
        assert.deepEqual(registers(ours.save()), registers(page), `vCPU ${id} after its creation`);
        prepare(new DataView(page.buffer, page.byteOffset, page.byteLength), id);
        real.setLapic(page);
        assert.equal(ours.restore(page.slice()), true);
      }
      for (const [number, step] of list.entries()) {
        const said = `step ${number}: ${JSON.stringify(step)}`;
        if (step.kind === 'msi')
          assert.equal(
            machine.controllers.signalMsi(step.address, step.data),
            taken(vm, step.address, step.data),
            said,
          );
        else {
          const value = (BigInt(step.high) << 32n) | BigInt(step.low);
          const isTaken = vcpus[step.vcpu]?.setMsrs([{ index: step.index, value }]) === 1;
          const outcome = machine.apic(step.vcpu).writeMsr(step.index, step.high, step.low, true);
          assert.equal(outcome, isTaken ? 'done' : 'refused', said);
          const into = { high: 0, low: 0 };
          const read = machine.apic(step.vcpu).readMsr(step.index, into);
          const [real] = vcpus[step.vcpu]?.getMsrs([step.index]) ?? [];
          assert.equal(read, real === undefined ? 'refused' : 'done', `${said}: reading`);
          if (real !== undefined)
            assert.equal((BigInt(into.high) << 32n) | BigInt(into.low), real.value, `${said}: value`);
        }
        for (const [id, real] of vcpus.entries())
          assert.deepEqual(registers(machine.apic(id).save()), registers(real.getLapic()), `${said}: vCPU ${id}`);
      }
      for (const one of vcpus) one.close();
    } finally {
      vm.close();
    }
  }

  test('any MSR writes and messages leave x2APICs with the same registers', () => {
    fc.assert(
      fc.property(steps, (list) => compare(list, ['x2apic', 'x2apic', 'x2apic'], enable)),
      { numRuns: 60 },
    );
  });

  test('any MSIs, flat or clustered, leave xAPICs with the same registers', () => {
    const identity = fc.record({
      format: fc.constantFrom(0xffff_ffff, 0x0fff_ffff),
      logical: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.array(oneOrAll, { maxLength: 30 }),
        fc.array(identity, { minLength: 3, maxLength: 3 }),
        (list, identities) => {
          compare(list, ['xapic', 'xapic', 'xapic'], (page, id) => {
            page.setUint32(0xf0, 0x1ff, true);
            page.setUint32(0xe0, identities[id]?.format ?? 0, true);
            page.setUint32(0xd0, ((identities[id]?.logical ?? 0) << 24) >>> 0, true);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('IA32_APIC_BASE takes the same values from user space', () => {
    const vm = kvm.createVm(0);
    vm.createIrqchip();
    const real = vm.createVcpu(0);
    real.setCpuid(cpuid);
    const bits = (cpuid.find((leaf) => leaf.function === 0x8000_0008)?.eax ?? 36) & 0xff;
    const apic = new TestMachine().apic();
    apic.setFeatures({ x2apic: true, tscDeadline: true, physicalAddressBits: bits });
    const values = fc.record({
      high: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(1 << 4, 1 << 20)),
      low: fc.oneof(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.constantFrom(0x900, 0x800, 0xd00, 0x100, 0x500, 0xa00).map((low) => 0xfee0_0000 + low),
      ),
    });
    fc.assert(
      fc.property(values, ({ high, low }) => {
        const isTaken = real.setMsrs([{ index: APIC_BASE, value: (BigInt(high) << 32n) | BigInt(low) }]) === 1;
        assert.equal(apic.writeMsr(APIC_BASE, high, low, true), isTaken ? 'done' : 'refused');
      }),
      { numRuns: 300 },
    );
    real.close();
    vm.close();
  });
});
