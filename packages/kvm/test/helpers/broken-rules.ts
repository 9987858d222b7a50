import { asm16 } from '../../conformance/guests/asm16.ts';
import { program } from '../../conformance/guests/bytes.ts';
import { realModeGuest } from '../../conformance/guests/real-mode.ts';
import type { Rule } from '../../conformance/rule.ts';

const source = 'nowhere: made to see the runner fail';

/** Rules that are wrong, hang, crash or can't be answered, and two good ones to see what comes after. */
export const rules: readonly Rule[] = [
  {
    id: 'fixture/wrong-value',
    says: 'The API version is 13.',
    source,
    check: (ctx) => ctx.equal(ctx.kvm.apiVersion(), 13, 'KVM_GET_API_VERSION'),
  },
  {
    id: 'fixture/wrong-errno',
    says: 'An unaligned slot is refused with ENOENT.',
    source,
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENOENT', () => vm.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 1, size: 4096, hva: 0 }), 'a slot');
    },
  },
  {
    id: 'fixture/wrong-success',
    says: 'A second VM is refused.',
    source,
    check: (ctx) => ctx.refuses('EBUSY', () => ctx.kvm.createVm(0), 'a VM'),
  },
  {
    id: 'fixture/wrong-exit',
    says: 'HLT shuts down.',
    source,
    check: (ctx) => ctx.runTo(realModeGuest(ctx, program(asm16.hlt)).vcpu, 'shutdown'),
  },
  {
    id: 'fixture/wrong-cleanup',
    says: 'What can’t be closed is no success.',
    source,
    check: (ctx) => {
      ctx.closing({
        close: () => {
          throw new Error('stays open');
        },
      });
    },
  },
  {
    id: 'fixture/stuck-guest',
    says: 'An endless loop ends.',
    source,
    check: (ctx) => ctx.runTo(realModeGuest(ctx, program(asm16.spin)).vcpu, 'hlt'),
  },
  {
    id: 'fixture/good-after-stuck',
    says: 'A good rule after a stuck one is asked as if nothing had been.',
    source,
    check: (ctx) => ctx.runTo(realModeGuest(ctx, program(asm16.hlt)).vcpu, 'hlt'),
  },
  {
    id: 'fixture/crash',
    says: 'The process dies.',
    source,
    check: () => {
      process.kill(process.pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
  {
    id: 'fixture/good-after-crash',
    says: 'The next rule gets a new process.',
    source,
    check: (ctx) => ctx.equal(ctx.kvm.apiVersion(), 12, 'KVM_GET_API_VERSION'),
  },
  {
    id: 'fixture/silent',
    says: 'The thread waits for ever, outside KVM_RUN.',
    source,
    check: () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
  {
    id: 'fixture/good-after-silence',
    says: 'The next rule gets a new process.',
    source,
    check: (ctx) => ctx.equal(ctx.kvm.apiVersion(), 12, 'KVM_GET_API_VERSION'),
  },
  {
    id: 'fixture/needs-the-impossible',
    says: 'Needs what no KVM has.',
    source,
    needs: [{ name: 'the impossible', missing: () => 'no KVM has it' }],
    check: () => {},
  },
  {
    id: 'fixture/needs-a-broken-probe',
    says: 'A probe that throws is a missing need, by its message.',
    source,
    needs: [
      {
        name: 'a broken probe',
        missing: () => {
          throw new Error('probe broke');
        },
      },
    ],
    check: () => {},
  },
  {
    id: 'fixture/long-gone',
    says: 'Promised by kernels before 3.0 only.',
    source,
    until: '3.0',
    check: (ctx) => ctx.equal(1, 2, 'never asked'),
  },
  {
    id: 'fixture/variant-by-kernel',
    says: 'The errno of the variant for this kernel is expected.',
    source,
    variants: [
      { until: '3.0', errnos: ['EPERM'] },
      { since: '3.0', errnos: ['EINVAL'] },
    ],
    check: (ctx) => ctx.refuses(ctx.errnos(), () => ctx.kvm.createVm(63)),
  },
];
