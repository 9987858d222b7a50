import { asm16 } from '../guests/asm16.ts';
import { program } from '../guests/bytes.ts';
import { REAL_CODE, REAL_DATA, realModeGuest } from '../guests/real-mode.ts';
import { hardwareVirtualization } from '../needs.ts';
import { PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import { errnoOf } from '../rule-context.ts';

/** At the end of the stack page: six zero bytes that LIDT loads as an empty table. */
const EMPTY_TABLE = 0x3000;

export const runRules: readonly Rule[] = [
  {
    id: 'run/hlt-without-irqchip-exits',
    says: 'Without an irqchip HLT comes to user space, with RIP behind it.',
    source: 'API document, the kvm_run structure, KVM_EXIT_HLT',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt));
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rip, BigInt(REAL_CODE + 1), 'RIP');
    },
  },
  {
    id: 'run/hlt-goes-on-with-the-next-run',
    says: 'After HLT the next run goes on behind it.',
    source: 'API document, the kvm_run structure, KVM_EXIT_HLT',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt, asm16.movAl(9), asm16.hlt));
      ctx.runTo(vcpu, 'hlt', 'the first run');
      ctx.runTo(vcpu, 'hlt', 'the second run');
      ctx.equal(vcpu.getRegs().rax & 0xffn, 9n, 'AL');
    },
  },
  {
    id: 'run/triple-fault-is-shutdown',
    says: 'A fault that cannot be delivered, nor the fault about it, shuts the guest down.',
    source: 'API document, the kvm_run structure, KVM_EXIT_SHUTDOWN',
    needs: [hardwareVirtualization],
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.lidt(EMPTY_TABLE), asm16.ud2));
      ctx.runTo(vcpu, 'shutdown');
    },
  },
  {
    id: 'run/exception-goes-to-the-guest',
    says: 'An exception with a handler stays inside the guest.',
    source: 'the architecture',
    check: (ctx) => {
      const handlers = { 6: program(asm16.movAl(0x66), asm16.hlt) };
      const { vcpu } = realModeGuest(ctx, program(asm16.ud2), { handlers });
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rax & 0xffn, 0x66n, 'AL');
    },
  },
  {
    id: 'run/new-vcpu-without-memory',
    says: 'A vCPU at the reset vector of a VM without memory has nothing to execute: an error exit, not a hang.',
    source: 'API document, the kvm_run structure, KVM_EXIT_INTERNAL_ERROR',
    needs: [hardwareVirtualization],
    check: (ctx) => {
      const vm = ctx.vm();
      vm.setTssAddress(0xfffb_d000);
      const exit = ctx.run(ctx.vcpu(vm));
      const stops = ['internal-error', 'shutdown', 'fail-entry'];
      ctx.holds(stops.includes(exit.kind), `one of ${stops.join(', ')}`, exit.kind);
    },
  },
  {
    id: 'run/immediate-exit-runs-nothing',
    says: 'A run with immediate_exit comes back before the first instruction.',
    source: 'API document, the kvm_run structure, immediate_exit',
    since: '4.11',
    check: (ctx) => {
      const { vcpu, memory } = realModeGuest(ctx, program(asm16.incByte(REAL_DATA), asm16.hlt));
      vcpu.completeExit();
      ctx.equal(vcpu.getRegs().rip, BigInt(REAL_CODE), 'RIP');
      ctx.equal(memory.read(REAL_DATA, 1)[0], 0, 'the byte that the guest would have counted up');
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(memory.read(REAL_DATA, 1)[0], 1, 'the byte after a run');
    },
  },
  {
    id: 'run/unmapped-host-memory',
    says: 'A guest access that the host cannot back ends the run with EFAULT, as a memory fault exit or without one.',
    source: 'API document, KVM_RUN and KVM_EXIT_MEMORY_FAULT',
    needs: [hardwareVirtualization],
    check: (ctx) => {
      const { vcpu, vm } = realModeGuest(ctx, program(asm16.loadAl(0), asm16.hlt), { dsBase: 0xd_0000 });
      const memory = ctx.memory(PAGE);
      ctx.slot(vm, 1, 0xd_0000, memory);
      memory.protect(0, PAGE, 'none');
      let found: string;
      try {
        const exit = ctx.run(vcpu);
        found = exit.kind === 'memory-fault' ? 'EFAULT' : exit.kind;
        if (exit.kind === 'memory-fault') ctx.equal(exit.gpa, 0xd_0000, 'address of the fault');
      } catch (error) {
        found = errnoOf(error);
      }
      ctx.equal(found, 'EFAULT', 'KVM_RUN');
    },
  },
];

export const kickRules: readonly Rule[] = [
  {
    id: 'kick/before-run',
    says: 'A kick before the run makes it come back, and the guest can go on after.',
    source: 'API document, KVM_RUN: EINTR for a signal that is pending',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt));
      ctx.kvm.openKicker(vcpu.kickTarget()).kick();
      ctx.runTo(vcpu, 'intr', 'the kicked run');
      ctx.runTo(vcpu, 'hlt', 'the run after it');
    },
  },
  {
    id: 'kick/between-runs-is-not-lost',
    says: 'A kick between two runs is for the second one, each time.',
    source: 'API document, KVM_RUN: EINTR for a signal that is pending',
    check: (ctx) => {
      const jump = asm16.jmpShort(-3);
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt, jump));
      const kicker = ctx.kvm.openKicker(vcpu.kickTarget());
      for (let round = 0; round < 50; round += 1) {
        ctx.runTo(vcpu, 'hlt', `run ${round}`);
        kicker.kick();
        ctx.runTo(vcpu, 'intr', `kicked run ${round}`);
      }
    },
  },
  {
    id: 'kick/busy-guest',
    says: 'A kick from another thread gets a guest out of an endless loop.',
    source: 'API document, KVM_RUN: EINTR for a signal',
    check: (ctx) => {
      const code = program(asm16.incByte(REAL_DATA), asm16.spin);
      const { vcpu, memory } = realModeGuest(ctx, code);
      ctx.runKicked(vcpu, () => vcpu.getRegs().rip === BigInt(REAL_CODE + code.length - 2));
      ctx.bytes(memory.read(REAL_DATA, 1), [1], 'what the guest counted before the loop');
    },
  },
  {
    id: 'kick/halted-guest-with-irqchip',
    says: 'With an irqchip a halted guest waits inside KVM_RUN, and a kick gets it out.',
    source: 'API document, KVM_RUN and KVM_EXIT_HLT',
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      const code = program(asm16.incByte(REAL_DATA), asm16.hlt);
      const { vcpu, memory } = realModeGuest(ctx, code, { vm });
      ctx.runKicked(vcpu, () => vcpu.getRegs().rip === BigInt(REAL_CODE + code.length));
      ctx.bytes(memory.read(REAL_DATA, 1), [1], 'what the guest counted before it halted');
    },
  },
];
