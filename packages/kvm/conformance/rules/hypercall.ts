import type { Vm } from '../../src/port/vm.ts';
import { asm64 } from '../guests/asm64.ts';
import { littleEndian, program } from '../guests/bytes.ts';
import { hypercall } from '../guests/hypercall.ts';
import { LONG_CODE, type LongModeGuest, type LongModeOptions, longModeGuest } from '../guests/long-mode.ts';
import { hypercalls } from '../needs.ts';
import { CAP, HYPERCALL, HYPERCALL_ERROR, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const GPA = 0x12_3000;
const PAGES = 17;
/** Encrypted (bit 4) and a page-size hint of 2 MiB. */
const ATTRIBUTES = 0x11;
const INSTRUCTION_BYTES = 3;
const UNKNOWN = 0x7777;

const own = {
  source: 'hypercalls document, KVM_HC_MAP_GPA_RANGE; API document, KVM_CAP_EXIT_HYPERCALL',
  since: '5.14',
  needs: [hypercalls],
} as const;

type Args = readonly (number | bigint)[];

function vmWithExits(ctx: RuleContext): Vm {
  const vm = ctx.vm();
  vm.enableCap(CAP.EXIT_HYPERCALL, [1 << HYPERCALL.MAP_GPA_RANGE]);
  return vm;
}

function guest(ctx: RuleContext, nr: number, args: Args, options: LongModeOptions): LongModeGuest {
  return longModeGuest(ctx, program(hypercall(ctx, nr, args), asm64.hlt), options);
}

/** The hypercall must be answered by KVM itself: the guest halts, with `-error` in RAX. */
function answeredByKvm(ctx: RuleContext, nr: number, args: Args, error: number, vm = vmWithExits(ctx)): void {
  const { vcpu } = guest(ctx, nr, args, { vm });
  ctx.runTo(vcpu, 'hlt');
  ctx.equal(BigInt.asIntN(64, vcpu.getRegs().rax), BigInt(-error), 'RAX');
}

export const hypercallRules: readonly Rule[] = [
  {
    ...own,
    id: 'hypercall/exits-with-arguments',
    says: 'MAP_GPA_RANGE exits with its number, its three arguments and the mode, RIP still at the instruction.',
    check: (ctx) => {
      const call = hypercall(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, PAGES, ATTRIBUTES]);
      const { vcpu } = longModeGuest(ctx, program(call, asm64.hlt), { vm: vmWithExits(ctx) });
      const exit = ctx.runTo(vcpu, 'hypercall');
      ctx.equal(exit.nr, HYPERCALL.MAP_GPA_RANGE, 'number');
      ctx.equal(exit.arg(0), GPA, 'argument 0');
      ctx.equal(exit.arg(1), PAGES, 'argument 1');
      ctx.equal(exit.arg(2), ATTRIBUTES, 'argument 2');
      ctx.equal(exit.longMode, true, 'long mode');
      ctx.equal(vcpu.getRegs().rip, BigInt(LONG_CODE + call.length - INSTRUCTION_BYTES), 'RIP');
    },
  },
  {
    ...own,
    id: 'hypercall/return-0',
    says: 'A return value of 0 is in the guest’s RAX after the next run, and RIP behind the instruction.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, PAGES, 0], { vm: vmWithExits(ctx) });
      ctx.runTo(vcpu, 'hypercall').setReturn(0);
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rax, 0n, 'RAX');
    },
  },
  {
    ...own,
    id: 'hypercall/return-negative',
    says: 'A negative return value is in the guest’s RAX as 64 bits.',
    check: (ctx) => {
      const { vcpu } = guest(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, PAGES, 0], { vm: vmWithExits(ctx) });
      ctx.runTo(vcpu, 'hypercall').setReturn(-HYPERCALL_ERROR.EINVAL);
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(BigInt.asIntN(64, vcpu.getRegs().rax), BigInt(-HYPERCALL_ERROR.EINVAL), 'RAX');
    },
  },
  {
    ...own,
    id: 'hypercall/attributes-are-not-checked',
    says: 'KVM hands on reserved bits of the attributes: to refuse them is user space’s part.',
    check: (ctx) => {
      const attributes = 0xffff_ffe0;
      const { vcpu } = guest(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, PAGES, attributes], { vm: vmWithExits(ctx) });
      ctx.equal(ctx.runTo(vcpu, 'hypercall').arg(2), attributes, 'argument 2');
    },
  },
  {
    ...own,
    id: 'hypercall/address-without-slot-is-not-checked',
    says: 'KVM hands on addresses that no slot covers: to refuse them is user space’s part.',
    check: (ctx) => {
      const far = 2 ** 40;
      const { vcpu } = guest(ctx, HYPERCALL.MAP_GPA_RANGE, [far, PAGES, 0], { vm: vmWithExits(ctx) });
      ctx.equal(ctx.runTo(vcpu, 'hypercall').arg(0), far, 'argument 0');
    },
  },
  {
    ...own,
    id: 'hypercall/unaligned-address-einval',
    says: 'An address inside a page gives the guest −EINVAL, without an exit.',
    check: (ctx) => {
      for (const off of [1, 0x800, PAGE - 1])
        answeredByKvm(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA + off, 1, 0], HYPERCALL_ERROR.EINVAL);
    },
  },
  {
    ...own,
    id: 'hypercall/no-pages-einval',
    says: 'A range of no pages gives the guest −EINVAL, without an exit.',
    check: (ctx) => answeredByKvm(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 0, 0], HYPERCALL_ERROR.EINVAL),
  },
  {
    ...own,
    id: 'hypercall/wrap-einval',
    says: 'A range that wraps gives the guest −EINVAL, without an exit.',
    check: (ctx) =>
      answeredByKvm(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 0xffff_ffff_ffff_ffffn, 0], HYPERCALL_ERROR.EINVAL),
  },
  {
    ...own,
    id: 'hypercall/not-enabled-enosys',
    says: 'Without the capability MAP_GPA_RANGE gives the guest −KVM_ENOSYS.',
    check: (ctx) => answeredByKvm(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 1, 0], HYPERCALL_ERROR.ENOSYS, ctx.vm()),
  },
  {
    ...own,
    id: 'hypercall/switched-off-enosys',
    says: 'Switched off again, MAP_GPA_RANGE gives the guest −KVM_ENOSYS.',
    check: (ctx) => {
      const vm = vmWithExits(ctx);
      vm.enableCap(CAP.EXIT_HYPERCALL, [0]);
      answeredByKvm(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 1, 0], HYPERCALL_ERROR.ENOSYS, vm);
    },
  },
  {
    ...own,
    id: 'hypercall/unknown-number-enosys',
    says: 'A number that KVM does not know gives the guest −KVM_ENOSYS, without an exit.',
    source: 'hypercalls document',
    check: (ctx) => answeredByKvm(ctx, UNKNOWN, [], HYPERCALL_ERROR.ENOSYS),
  },
  {
    ...own,
    id: 'hypercall/poll-irq-is-kvms',
    says: 'VAPIC_POLL_IRQ is answered by KVM with 0.',
    source: 'hypercalls document, KVM_HC_VAPIC_POLL_IRQ',
    check: (ctx) => answeredByKvm(ctx, HYPERCALL.VAPIC_POLL_IRQ, [], 0),
  },
  {
    ...own,
    id: 'hypercall/user-mode-eperm',
    says: 'A hypercall from user mode gives the guest −EPERM, without an exit.',
    source: 'kernel, arch/x86/kvm/x86.c',
    check: (ctx) => {
      // HLT is not for user mode: the guest tells by a port, which IOPL 3 allows.
      const code = program(hypercall(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 1, 0]), asm64.movRdx(0x510), asm64.outEax);
      const { vcpu } = longModeGuest(ctx, code, { vm: vmWithExits(ctx), privilege: 3 });
      const exit = ctx.runTo(vcpu, 'io');
      ctx.bytes(exit.data, littleEndian(-HYPERCALL_ERROR.EPERM, 4), 'EAX');
    },
  },
  {
    ...own,
    id: 'hypercall/repeats-until-answered',
    says: 'Each hypercall is one exit: two in a row are two exits with their own arguments.',
    check: (ctx) => {
      const code = program(
        hypercall(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA, 1, 0]),
        hypercall(ctx, HYPERCALL.MAP_GPA_RANGE, [GPA + PAGE, 2, ATTRIBUTES]),
        asm64.hlt,
      );
      const { vcpu } = longModeGuest(ctx, code, { vm: vmWithExits(ctx) });
      const first = ctx.runTo(vcpu, 'hypercall');
      ctx.equal(first.arg(0), GPA, 'argument 0 of the first');
      first.setReturn(0);
      const second = ctx.runTo(vcpu, 'hypercall');
      ctx.equal(second.arg(0), GPA + PAGE, 'argument 0 of the second');
      ctx.equal(second.arg(1), 2, 'argument 1 of the second');
      second.setReturn(0);
      ctx.runTo(vcpu, 'hlt');
    },
  },
];
