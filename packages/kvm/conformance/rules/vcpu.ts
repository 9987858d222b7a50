import { capability } from '../needs.ts';
import { CAP, MP_STATE, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';

/** sizeof(struct kvm_fpu), of a page of APIC registers, of struct kvm_vcpu_events. */
const FPU_BYTES = 416;
const LAPIC_BYTES = 1024;
const EVENTS_BYTES = 64;

export const vcpuRules: readonly Rule[] = [
  {
    id: 'vcpu/same-id-eexist',
    says: 'A vCPU id is given once in a VM: EEXIST.',
    source: 'API document, KVM_CREATE_VCPU',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.vcpu(vm, 0);
      ctx.refuses('EEXIST', () => vm.createVcpu(0));
      ctx.accepts(() => ctx.vcpu(vm, 1), 'the next id');
    },
  },
  {
    id: 'vcpu/id-beyond-einval',
    says: 'A vCPU id of KVM_CAP_MAX_VCPU_ID or more is refused with EINVAL.',
    source: 'API document, KVM_CREATE_VCPU',
    check: (ctx) => {
      const vm = ctx.vm();
      const ids = vm.checkExtension(CAP.MAX_VCPU_ID);
      for (const id of [ids, ids + 1, 0x7fff_ffff]) ctx.refuses('EINVAL', () => vm.createVcpu(id), `id ${id}`);
    },
  },
  {
    id: 'vcpu/mp-state-without-irqchip',
    says: 'Without an irqchip every vCPU is runnable, and can be nothing else.',
    source: 'API document, KVM_GET_MP_STATE and KVM_SET_MP_STATE',
    needs: [capability('MP_STATE')],
    check: (ctx) => {
      const vm = ctx.vm();
      for (const id of [0, 1]) ctx.equal(ctx.vcpu(vm, id).getMpState(), MP_STATE.RUNNABLE, `state of vCPU ${id}`);
      const vcpu = ctx.vcpu(vm, 2);
      ctx.accepts(() => vcpu.setMpState(MP_STATE.RUNNABLE), 'runnable');
      ctx.refuses('EINVAL', () => vcpu.setMpState(MP_STATE.UNINITIALIZED), 'uninitialized');
    },
  },
  {
    id: 'vcpu/mp-state-with-irqchip',
    says: 'With an irqchip the boot vCPU is runnable and the others wait for INIT.',
    source: 'API document, KVM_GET_MP_STATE',
    needs: [capability('MP_STATE')],
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      ctx.equal(ctx.vcpu(vm, 0).getMpState(), MP_STATE.RUNNABLE, 'state of vCPU 0');
      const other = ctx.vcpu(vm, 1);
      ctx.equal(other.getMpState(), MP_STATE.UNINITIALIZED, 'state of vCPU 1');
      other.setMpState(MP_STATE.HALTED);
      ctx.equal(other.getMpState(), MP_STATE.HALTED, 'state of vCPU 1 after it was set');
    },
  },
  {
    id: 'vcpu/boot-cpu-is-chosen',
    says: 'The vCPU that was chosen to boot is the runnable one.',
    source: 'API document, KVM_SET_BOOT_CPU_ID',
    needs: [capability('MP_STATE')],
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      vm.setBootCpuId(1);
      ctx.equal(ctx.vcpu(vm, 0).getMpState(), MP_STATE.UNINITIALIZED, 'state of vCPU 0');
      ctx.equal(ctx.vcpu(vm, 1).getMpState(), MP_STATE.RUNNABLE, 'state of vCPU 1');
    },
  },
  {
    id: 'vcpu/mp-state-unknown-einval',
    says: 'A state that x86 does not have is refused with EINVAL.',
    source: 'API document, KVM_SET_MP_STATE',
    needs: [capability('MP_STATE')],
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      const vcpu = ctx.vcpu(vm);
      for (const state of [5, 99, 0x7fff_ffff]) ctx.refuses('EINVAL', () => vcpu.setMpState(state), `state ${state}`);
    },
  },
  {
    id: 'vcpu/lapic-without-irqchip-einval',
    says: 'Without an irqchip there is no local APIC to read or set: EINVAL.',
    source: 'API document, KVM_GET_LAPIC and KVM_SET_LAPIC',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      ctx.refuses('EINVAL', () => vcpu.getLapic(), 'reading');
      ctx.refuses('EINVAL', () => vcpu.setLapic(new Uint8Array(LAPIC_BYTES)), 'setting');
    },
  },
  {
    id: 'vcpu/lapic-round-trip',
    says: 'The local APIC’s registers are read as 1 KiB, carry the id and a version, and are set back.',
    source: 'API document, KVM_GET_LAPIC and KVM_SET_LAPIC',
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      const vcpu = ctx.vcpu(vm, 1);
      const registers = vcpu.getLapic();
      ctx.equal(registers.length, LAPIC_BYTES, 'bytes');
      ctx.equal(registers[0x23], 1, 'the id, in bits 31:24 at 0x20');
      ctx.holds((registers[0x30] ?? 0) >= 0x10, 'a version of an integrated APIC at 0x30', registers[0x30]);
      // The task priority is a plain register.
      registers[0x80] = 0x20;
      vcpu.setLapic(registers);
      ctx.equal(vcpu.getLapic()[0x80], 0x20, 'the task priority at 0x80');
    },
  },
  {
    id: 'vcpu/fpu-round-trip',
    says: 'The FPU state is read and set as struct kvm_fpu.',
    source: 'API document, KVM_GET_FPU and KVM_SET_FPU',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const state = vcpu.getFpu();
      ctx.equal(state.length, FPU_BYTES, 'bytes');
      // ST0 starts at 0, XMM0 behind the eight 16-byte registers and 32 bytes of control words.
      const xmm0 = 160;
      state.set([1, 2, 3, 4, 5, 6, 7, 8], xmm0);
      vcpu.setFpu(state);
      ctx.bytes(vcpu.getFpu().subarray(xmm0, xmm0 + 8), [1, 2, 3, 4, 5, 6, 7, 8], 'the low half of XMM0');
    },
  },
  {
    id: 'vcpu/events-round-trip',
    says: 'A new vCPU has no event pending; the events are set back as they were read.',
    source: 'API document, KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS',
    needs: [capability('VCPU_EVENTS')],
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const events = vcpu.getEvents();
      ctx.equal(events.length, EVENTS_BYTES, 'bytes');
      ctx.equal(events[0], 0, 'exception injected');
      ctx.equal(events[8], 0, 'interrupt injected');
      ctx.equal(events[12], 0, 'NMI injected');
      ctx.accepts(() => vcpu.setEvents(events), 'setting them back');
    },
  },
  {
    id: 'vcpu/events-unknown-flag-einval',
    says: 'A flag of the events that is not defined is refused with EINVAL.',
    source: 'API document, KVM_SET_VCPU_EVENTS',
    needs: [capability('VCPU_EVENTS')],
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const events = vcpu.getEvents();
      // The flags lie behind exception (8 bytes), interrupt, NMI and SIPI vector (4 each).
      new DataView(events.buffer, events.byteOffset).setUint32(20, 0x8000_0000, true);
      ctx.refuses('EINVAL', () => vcpu.setEvents(events));
    },
  },
  {
    id: 'vcpu/xcr0-starts-as-1',
    says: 'XCR0 has only x87 state switched on after creation.',
    source: 'API document, KVM_GET_XCRS; the processors’ reset state',
    needs: [capability('XCRS')],
    check: (ctx) => {
      const xcrs = ctx.vcpu(ctx.vm()).getXcrs();
      const view = new DataView(xcrs.buffer, xcrs.byteOffset, xcrs.byteLength);
      ctx.equal(view.getUint32(0, true), 1, 'how many registers');
      ctx.equal(view.getUint32(8, true), 0, 'the number of the first');
      ctx.equal(view.getBigUint64(16, true), 1n, 'its value');
    },
  },
  {
    id: 'vcpu/tsc-khz-is-known',
    says: 'The frequency of the guest’s time-stamp counter is known, and may be set to what it is.',
    source: 'API document, KVM_GET_TSC_KHZ and KVM_SET_TSC_KHZ',
    needs: [capability('GET_TSC_KHZ')],
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const khz = vcpu.getTscKhz();
      ctx.holds(khz > 0, 'a frequency above 0 kHz', khz);
      ctx.accepts(() => vcpu.setTscKhz(khz));
    },
  },
  {
    id: 'vcpu/interrupt-beyond-255-einval',
    says: 'A vector above 255 is refused with EINVAL.',
    source: 'API document, KVM_INTERRUPT',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      for (const vector of [256, 0x7fff_ffff]) ctx.refuses('EINVAL', () => vcpu.interrupt(vector), `vector ${vector}`);
    },
  },
  {
    id: 'vcpu/interrupt-with-irqchip-enxio',
    says: 'With an irqchip KVM decides which interrupt comes: injecting one is refused with ENXIO.',
    source: 'API document, KVM_INTERRUPT',
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      const vcpu = ctx.vcpu(vm);
      ctx.refuses('ENXIO', () => vcpu.interrupt(0x30));
    },
  },
];

export const preFaultRules: readonly Rule[] = [
  {
    id: 'pre-fault/refused-ranges-einval',
    says: 'Flags, a size of 0, and addresses or sizes that are not whole pages are refused with EINVAL.',
    source: 'API document, KVM_PRE_FAULT_MEMORY; pre_fault_memory_test',
    since: '6.11',
    needs: [capability('PRE_FAULT_MEMORY')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, 0, 0, ctx.memory(4 * PAGE));
      const vcpu = ctx.vcpu(vm);
      ctx.refuses('EINVAL', () => vcpu.preFaultMemory(0, PAGE, 1), 'flags 1');
      ctx.refuses('EINVAL', () => vcpu.preFaultMemory(0, 0), 'size 0');
      ctx.refuses('EINVAL', () => vcpu.preFaultMemory(1, PAGE), 'address 1');
      ctx.refuses('EINVAL', () => vcpu.preFaultMemory(0, PAGE + 1), 'size 4097');
    },
  },
  {
    id: 'pre-fault/all-of-a-slot',
    says: 'A range inside a slot is mapped whole: nothing is left.',
    source: 'API document, KVM_PRE_FAULT_MEMORY; pre_fault_memory_test',
    since: '6.11',
    needs: [capability('PRE_FAULT_MEMORY')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, 0, 0, ctx.memory(4 * PAGE));
      ctx.equal(ctx.vcpu(vm).preFaultMemory(0, 4 * PAGE), 0, 'bytes left');
    },
  },
  {
    id: 'pre-fault/partial-progress',
    says: 'A range that leaves its slot is mapped up to the end of the slot, and says how much is left.',
    source: 'API document, KVM_PRE_FAULT_MEMORY; pre_fault_memory_test',
    since: '6.11',
    needs: [capability('PRE_FAULT_MEMORY')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, 0, 0, ctx.memory(4 * PAGE));
      ctx.equal(ctx.vcpu(vm).preFaultMemory(0, 6 * PAGE), 2 * PAGE, 'bytes left');
    },
  },
  {
    id: 'pre-fault/no-slot-enoent',
    says: 'A range that starts outside all slots is refused with ENOENT.',
    source: 'API document, KVM_PRE_FAULT_MEMORY; pre_fault_memory_test',
    since: '6.11',
    needs: [capability('PRE_FAULT_MEMORY')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, 0, 0, ctx.memory(4 * PAGE));
      const vcpu = ctx.vcpu(vm);
      ctx.refuses('ENOENT', () => vcpu.preFaultMemory(16 * PAGE, PAGE));
    },
  },
];
