import type { Vm } from '../../src/port/vm.ts';
import { asm16 } from '../guests/asm16.ts';
import { type Code, program } from '../guests/bytes.ts';
import { type RealModeGuest, realModeGuest } from '../guests/real-mode.ts';
import { capability } from '../needs.ts';
import { CAP, MSR, MSR_EXIT, MSR_FILTER, MSR_FILTER_DEFAULT_DENY } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

/** Vector of #GP. Its handler leaves this in AL and halts. */
const GENERAL_PROTECTION = 13;
const SAW_GP = 0x6d;
const handlers = { [GENERAL_PROTECTION]: program(asm16.movAl(SAW_GP), asm16.hlt) };

/** Bit 62 of the APIC base is reserved: refused as an invalid value. */
const BAD_HIGH = 1 << 30;
const source = 'API document, KVM_CAP_X86_USER_SPACE_MSR';
const filterSource = 'API document, KVM_X86_SET_MSR_FILTER; userspace_msr_exit_test';

const readMsr = (index: number): Code => [...asm16.movEcx(index), ...asm16.rdmsr, ...asm16.hlt];
const writeMsr = (index: number, high: number, low: number): Code => [
  ...asm16.movEcx(index),
  ...asm16.movEdx(high),
  ...asm16.movEax(low),
  ...asm16.wrmsr,
  ...asm16.hlt,
];

function guest(ctx: RuleContext, code: Code, reasons: number, prepare?: (vm: Vm) => void): RealModeGuest {
  const vm = ctx.vm();
  vm.enableCap(CAP.X86_USER_SPACE_MSR, [reasons]);
  prepare?.(vm);
  return realModeGuest(ctx, program(code), { vm, handlers });
}

function expectGp(ctx: RuleContext, { vcpu }: RealModeGuest): void {
  ctx.runTo(vcpu, 'hlt');
  ctx.equal(vcpu.getRegs().rax & 0xffn, BigInt(SAW_GP), 'AL, set by the handler of #GP');
}

/** Denies all of PAT (and nothing else). */
const denyPat = (flags: number) => (vm: Vm) =>
  vm.setMsrFilter(0, [{ flags, base: MSR.PAT, count: 1, bitmap: new Uint8Array(8) }]);

const exits = { source, since: '5.10', needs: [capability('X86_USER_SPACE_MSR')] } as const;
const filters = { source: filterSource, since: '5.10', needs: [capability('X86_MSR_FILTER')] } as const;

export const msrExitRules: readonly Rule[] = [
  {
    ...exits,
    id: 'msr-exit/unknown-without-capability-is-gp',
    says: 'Without the capability an MSR that KVM does not know gives the guest #GP.',
    check: (ctx) => expectGp(ctx, guest(ctx, readMsr(MSR.NOBODYS), 0)),
  },
  {
    ...exits,
    id: 'msr-exit/read-completed',
    says: 'A read of an unknown MSR exits; user space gives the value, and EDX:EAX have it.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, readMsr(MSR.NOBODYS), MSR_EXIT.UNKNOWN);
      const exit = ctx.runTo(vcpu, 'rdmsr');
      ctx.equal(exit.index, MSR.NOBODYS, 'index');
      ctx.equal(exit.why, MSR_EXIT.UNKNOWN, 'why');
      exit.complete(0xfedc_ba98, 0x7654_3210);
      ctx.runTo(vcpu, 'hlt');
      const { rax, rdx } = vcpu.getRegs();
      ctx.equal(rdx, 0xfedc_ba98n, 'EDX');
      ctx.equal(rax, 0x7654_3210n, 'EAX');
    },
  },
  {
    ...exits,
    id: 'msr-exit/read-refused-is-gp',
    says: 'A read that user space refuses gives the guest #GP.',
    check: (ctx) => {
      const started = guest(ctx, readMsr(MSR.NOBODYS), MSR_EXIT.UNKNOWN);
      ctx.runTo(started.vcpu, 'rdmsr').refuse();
      expectGp(ctx, started);
    },
  },
  {
    ...exits,
    id: 'msr-exit/write-completed',
    says: 'A write of an unknown MSR exits with the value; completed, the guest goes on.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, writeMsr(MSR.NOBODYS, 0x8899_aabb, 0x1122_3344), MSR_EXIT.UNKNOWN);
      const exit = ctx.runTo(vcpu, 'wrmsr');
      ctx.equal(exit.index, MSR.NOBODYS, 'index');
      ctx.equal(exit.why, MSR_EXIT.UNKNOWN, 'why');
      ctx.equal(exit.high, 0x8899_aabb, 'the high half');
      ctx.equal(exit.low, 0x1122_3344, 'the low half');
      exit.complete();
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rax, 0x1122_3344n, 'EAX, untouched');
    },
  },
  {
    ...exits,
    id: 'msr-exit/write-refused-is-gp',
    says: 'A write that user space refuses gives the guest #GP.',
    check: (ctx) => {
      const started = guest(ctx, writeMsr(MSR.NOBODYS, 0, 1), MSR_EXIT.UNKNOWN);
      ctx.runTo(started.vcpu, 'wrmsr').refuse();
      expectGp(ctx, started);
    },
  },
  {
    ...exits,
    id: 'msr-exit/invalid-value',
    says: 'A value that an MSR cannot hold exits as invalid, not as unknown.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, writeMsr(MSR.APIC_BASE, BAD_HIGH, 0), MSR_EXIT.INVAL | MSR_EXIT.UNKNOWN);
      const exit = ctx.runTo(vcpu, 'wrmsr');
      ctx.equal(exit.index, MSR.APIC_BASE, 'index');
      ctx.equal(exit.why, MSR_EXIT.INVAL, 'why');
    },
  },
  {
    ...exits,
    id: 'msr-exit/only-asked-reasons',
    says: 'A reason that was not asked for does not exit: the guest gets #GP.',
    check: (ctx) => expectGp(ctx, guest(ctx, readMsr(MSR.NOBODYS), MSR_EXIT.INVAL | MSR_EXIT.FILTER)),
  },
  {
    ...filters,
    id: 'msr-filter/denied-without-exit-is-gp',
    says: 'An MSR that the filter denies gives the guest #GP where filter exits are off.',
    check: (ctx) => expectGp(ctx, guest(ctx, readMsr(MSR.PAT), 0, denyPat(MSR_FILTER.READ))),
  },
  {
    ...filters,
    id: 'msr-filter/denied-read-exits',
    says: 'A read that the filter denies exits with the reason filter, and user space answers it.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, readMsr(MSR.PAT), MSR_EXIT.FILTER, denyPat(MSR_FILTER.READ));
      const exit = ctx.runTo(vcpu, 'rdmsr');
      ctx.equal(exit.index, MSR.PAT, 'index');
      ctx.equal(exit.why, MSR_EXIT.FILTER, 'why');
      exit.complete(1, 2);
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rax, 2n, 'EAX');
    },
  },
  {
    ...filters,
    id: 'msr-filter/read-only-range-lets-writes-pass',
    says: 'A range for reads says nothing about writes.',
    check: (ctx) => {
      const code = [...asm16.movEcx(MSR.PAT), ...asm16.movEdx(0), ...asm16.movEax(0), ...asm16.wrmsr, ...asm16.hlt];
      const { vcpu } = guest(ctx, code, MSR_EXIT.FILTER, denyPat(MSR_FILTER.READ));
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getMsrs([MSR.PAT])[0]?.value, 0n, 'PAT, as the guest wrote it');
    },
  },
  {
    ...filters,
    id: 'msr-filter/set-bit-allows',
    says: 'A set bit of a range allows, a clear one denies.',
    check: (ctx) => {
      const started = guest(ctx, [...asm16.movEcx(MSR.PAT), ...asm16.rdmsr, ...readMsr(MSR.PAT + 1)], 0, (vm) =>
        vm.setMsrFilter(0, [
          { flags: MSR_FILTER.READ, base: MSR.PAT, count: 2, bitmap: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) },
        ]),
      );
      expectGp(ctx, started);
      ctx.equal(started.vcpu.getRegs().rcx, BigInt(MSR.PAT + 1), 'ECX: the first read passed, the second did not');
    },
  },
  {
    ...filters,
    id: 'msr-filter/user-space-is-not-filtered',
    says: 'The filter is for the guest: user space reads the MSR all the same.',
    check: (ctx) => {
      const vm = ctx.vm();
      denyPat(MSR_FILTER.READ)(vm);
      const vcpu = ctx.vcpu(vm);
      ctx.equal(vcpu.getMsrs([MSR.PAT]).length, 1, 'how many were read');
    },
  },
  {
    ...filters,
    id: 'msr-filter/unknown-flags-einval',
    says: 'Flags that are not defined, of the filter or of a range, are refused with EINVAL.',
    check: (ctx) => {
      const vm = ctx.vm();
      const range = { flags: MSR_FILTER.READ, base: 0, count: 64, bitmap: new Uint8Array(8) };
      ctx.refuses('EINVAL', () => vm.setMsrFilter(2, [range]), 'flags of the filter');
      ctx.refuses('EINVAL', () => vm.setMsrFilter(0, [{ ...range, flags: 4 }]), 'flags of a range');
    },
  },
  {
    ...filters,
    id: 'msr-filter/deny-all-without-range-einval',
    says: 'A filter that denies by default and has no range is refused with EINVAL.',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.setMsrFilter(MSR_FILTER_DEFAULT_DENY, []));
      ctx.accepts(() => vm.setMsrFilter(0, []), 'allow all: no filter');
    },
  },
  {
    ...filters,
    id: 'msr-filter/too-many-msrs-einval',
    says: 'A range of more MSRs than its bitmap may have bits is refused with EINVAL.',
    check: (ctx) => {
      const vm = ctx.vm();
      // The bitmap of a range has at most 0x600 bytes.
      const count = 0x600 * 8 + 64;
      const range = { flags: MSR_FILTER.READ, base: 0, count, bitmap: new Uint8Array(count / 8) };
      ctx.refuses('EINVAL', () => vm.setMsrFilter(0, [range]));
    },
  },
];
