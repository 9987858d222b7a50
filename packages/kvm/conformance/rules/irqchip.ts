import type { Vm } from '../../src/port/vm.ts';
import { capability } from '../needs.ts';
import { CAP, IOEVENTFD, IRQFD, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const NO_SUCH_FD = 0xffff;
const UNKNOWN_FLAG = 0x8000_0000;
const DOORBELL = 0xfeb0_0000;

function vmWithIrqchip(ctx: RuleContext): Vm {
  const vm = ctx.vm();
  vm.createIrqchip();
  return vm;
}

export const irqchipRules: readonly Rule[] = [
  {
    id: 'irqchip/create-twice-eexist',
    says: 'A VM has one irqchip: creating another is refused with EEXIST.',
    source: 'API document, KVM_CREATE_IRQCHIP; kernel, arch/x86/kvm/x86.c',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => vm.createIrqchip(), 'the first');
      ctx.refuses('EEXIST', () => vm.createIrqchip(), 'the second');
    },
  },
  {
    id: 'irqchip/create-after-vcpu-einval',
    says: 'The irqchip comes before the first vCPU: later it is refused with EINVAL.',
    source: 'kernel, arch/x86/kvm/x86.c',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.vcpu(vm);
      ctx.refuses('EINVAL', () => vm.createIrqchip());
    },
  },
  {
    id: 'irqchip/pit-without-irqchip-enoent',
    says: 'A PIT needs an irqchip: ENOENT without.',
    source: 'API document, KVM_CREATE_PIT2: after KVM_CREATE_IRQCHIP only',
    needs: [capability('PIT2')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENOENT', () => vm.createPit2());
    },
  },
  {
    id: 'irqchip/pit-twice-eexist',
    says: 'A VM has one PIT: creating another is refused with EEXIST.',
    source: 'kernel, arch/x86/kvm/x86.c',
    needs: [capability('PIT2')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      ctx.accepts(() => vm.createPit2(), 'the first');
      ctx.refuses('EEXIST', () => vm.createPit2(), 'the second');
    },
  },
  {
    id: 'irqchip/irq-line-without-irqchip-enxio',
    says: 'Setting an interrupt line without an irqchip is refused with ENXIO.',
    source: 'API document, KVM_IRQ_LINE: requires an irqchip',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENXIO', () => vm.irqLine(4, 1));
    },
  },
  {
    id: 'irqchip/irq-line-up-and-down',
    says: 'With an irqchip each of its 24 lines goes up and down.',
    source: 'API document, KVM_IRQ_LINE',
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      ctx.vcpu(vm);
      for (let gsi = 0; gsi < 24; gsi += 1) {
        ctx.accepts(() => vm.irqLine(gsi, 1), `line ${gsi} up`);
        ctx.accepts(() => vm.irqLine(gsi, 0), `line ${gsi} down`);
      }
    },
  },
  {
    id: 'irqchip/signal-msi-without-irqchip-einval',
    says: 'An MSI without a local APIC in KVM is refused with EINVAL.',
    source: 'API document, KVM_SIGNAL_MSI',
    needs: [capability('SIGNAL_MSI')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.signalMsi(0xfee0_0000, 0x30));
    },
  },
  {
    id: 'irqfd/without-irqchip-einval',
    says: 'An irqfd needs an irqchip: EINVAL without.',
    source: 'kernel, virt/kvm/eventfd.c',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = ctx.vm();
      const { fd } = ctx.eventFd();
      ctx.refuses('EINVAL', () => vm.irqfd(fd, 5));
    },
  },
  {
    id: 'irqfd/assign-and-deassign',
    says: 'An eventfd is bound to a line, and taken off again.',
    source: 'API document, KVM_IRQFD',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      const { fd } = ctx.eventFd();
      ctx.accepts(() => vm.irqfd(fd, 5), 'assign');
      ctx.accepts(() => vm.irqfd(fd, 5, IRQFD.DEASSIGN), 'deassign');
      ctx.accepts(() => vm.irqfd(fd, 5), 'assign again');
    },
  },
  {
    id: 'irqfd/same-eventfd-twice-ebusy',
    says: 'An eventfd that is bound to a line cannot be bound to a second one: EBUSY.',
    source: 'kernel, virt/kvm/eventfd.c',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      const { fd } = ctx.eventFd();
      vm.irqfd(fd, 5);
      ctx.refuses('EBUSY', () => vm.irqfd(fd, 5), 'the same line');
      ctx.refuses('EBUSY', () => vm.irqfd(fd, 6), 'another line');
    },
  },
  {
    id: 'irqfd/closed-fd-ebadf',
    says: 'A descriptor that is not open is refused with EBADF.',
    source: 'API document, KVM_IRQFD',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      ctx.refuses('EBADF', () => vm.irqfd(NO_SUCH_FD, 5));
    },
  },
  {
    id: 'irqfd/other-file-einval',
    says: 'A descriptor that is not an eventfd is refused with EINVAL.',
    source: 'API document, KVM_IRQFD',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      ctx.refuses('EINVAL', () => vm.irqfd(vm.handle.fd, 5));
    },
  },
  {
    id: 'irqfd/unknown-flag-einval',
    says: 'A flag that is not defined is refused with EINVAL.',
    source: 'API document, KVM_IRQFD',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      const { fd } = ctx.eventFd();
      ctx.refuses('EINVAL', () => vm.irqfd(fd, 5, UNKNOWN_FLAG));
    },
  },
  {
    id: 'irqfd/resample-needs-second-eventfd',
    says: 'A level-triggered irqfd needs an open eventfd to tell the end of the interrupt.',
    source: 'API document, KVM_CAP_IRQFD_RESAMPLE',
    needs: [capability('IRQFD_RESAMPLE')],
    check: (ctx) => {
      const vm = vmWithIrqchip(ctx);
      const { fd } = ctx.eventFd();
      ctx.refuses('EBADF', () => vm.irqfd(fd, 5, IRQFD.RESAMPLE, NO_SUCH_FD), 'a closed one');
      const resample = ctx.eventFd();
      ctx.accepts(() => vm.irqfd(fd, 5, IRQFD.RESAMPLE, resample.fd), 'an open one');
    },
  },
  {
    id: 'irqfd/resample-on-split-irqchip-einval',
    says: 'A split irqchip has no level-triggered irqfd: EINVAL.',
    source: 'kernel, arch/x86/kvm',
    needs: [capability('IRQFD_RESAMPLE'), capability('SPLIT_IRQCHIP')],
    check: (ctx) => {
      const vm = ctx.vm();
      vm.enableCap(CAP.SPLIT_IRQCHIP, [24]);
      const [event, resample] = [ctx.eventFd(), ctx.eventFd()];
      ctx.refuses('EINVAL', () => vm.irqfd(event.fd, 5, IRQFD.RESAMPLE, resample.fd));
    },
  },
];

export const ioeventfdRules: readonly Rule[] = (
  [
    {
      id: 'ioeventfd/lengths',
      says: 'A doorbell watches writes of 1, 2, 4 or 8 bytes; other lengths are refused with EINVAL.',
      check: (ctx, vm, fd) => {
        for (const length of [1, 2, 4, 8])
          ctx.accepts(() => vm.ioeventfd(fd, DOORBELL + length * PAGE, length), `length ${length}`);
        for (const length of [3, 5, 16, PAGE])
          ctx.refuses('EINVAL', () => vm.ioeventfd(fd, DOORBELL, length), `length ${length}`);
      },
    },
    {
      id: 'ioeventfd/any-length',
      says: 'Length 0 watches writes of any length.',
      check: (ctx, vm, fd) => ctx.accepts(() => vm.ioeventfd(fd, DOORBELL, 0)),
    },
    {
      id: 'ioeventfd/any-length-with-datamatch-einval',
      says: 'Length 0 has no value to compare: EINVAL with datamatch.',
      check: (ctx, vm, fd) => ctx.refuses('EINVAL', () => vm.ioeventfd(fd, DOORBELL, 0, IOEVENTFD.DATAMATCH, 1)),
    },
    {
      id: 'ioeventfd/wrap-einval',
      says: 'A doorbell across the end of the address space is refused with EINVAL.',
      check: (ctx, vm, fd) => ctx.refuses('EINVAL', () => vm.ioeventfd(fd, 2n ** 64n - 2n, 4)),
    },
    {
      id: 'ioeventfd/unknown-flag-einval',
      says: 'A flag that is not defined is refused with EINVAL.',
      check: (ctx, vm, fd) => ctx.refuses('EINVAL', () => vm.ioeventfd(fd, DOORBELL, 4, UNKNOWN_FLAG)),
    },
    {
      id: 'ioeventfd/closed-fd-ebadf',
      says: 'A descriptor that is not open is refused with EBADF.',
      check: (ctx, vm) => ctx.refuses('EBADF', () => vm.ioeventfd(NO_SUCH_FD, DOORBELL, 4)),
    },
    {
      id: 'ioeventfd/other-file-einval',
      says: 'A descriptor that is not an eventfd is refused with EINVAL.',
      check: (ctx, vm) => ctx.refuses('EINVAL', () => vm.ioeventfd(vm.handle.fd, DOORBELL, 4)),
    },
    {
      id: 'ioeventfd/same-place-eexist',
      says: 'A second doorbell at the same place is refused with EEXIST, unless they watch for different values.',
      check: (ctx, vm, fd) => {
        vm.ioeventfd(fd, DOORBELL, 4);
        ctx.refuses('EEXIST', () => vm.ioeventfd(ctx.eventFd().fd, DOORBELL, 4), 'without a value');
        vm.ioeventfd(fd, DOORBELL + PAGE, 4, IOEVENTFD.DATAMATCH, 1);
        const second = ctx.eventFd().fd;
        ctx.accepts(() => vm.ioeventfd(second, DOORBELL + PAGE, 4, IOEVENTFD.DATAMATCH, 2), 'another value');
        ctx.refuses('EEXIST', () => vm.ioeventfd(second, DOORBELL + PAGE, 4, IOEVENTFD.DATAMATCH, 1), 'the same value');
      },
    },
    {
      id: 'ioeventfd/deassign-absent-enoent',
      says: 'Taking off a doorbell that is not there is refused with ENOENT; all its properties must match.',
      check: (ctx, vm, fd) => {
        ctx.refuses('ENOENT', () => vm.ioeventfd(fd, DOORBELL, 4, IOEVENTFD.DEASSIGN), 'nothing there');
        vm.ioeventfd(fd, DOORBELL, 4);
        ctx.refuses('ENOENT', () => vm.ioeventfd(fd, DOORBELL, 8, IOEVENTFD.DEASSIGN), 'another length');
        ctx.refuses('ENOENT', () => vm.ioeventfd(ctx.eventFd().fd, DOORBELL, 4, IOEVENTFD.DEASSIGN), 'another eventfd');
        ctx.accepts(() => vm.ioeventfd(fd, DOORBELL, 4, IOEVENTFD.DEASSIGN), 'the right one');
      },
    },
    {
      id: 'ioeventfd/ports-and-memory-are-apart',
      says: 'The same number as a port and as a memory address are two places.',
      check: (ctx, vm, fd) => {
        vm.ioeventfd(fd, 0x510, 4);
        ctx.accepts(() => vm.ioeventfd(fd, 0x510, 4, IOEVENTFD.PIO));
      },
    },
  ] satisfies { id: string; says: string; check: (ctx: RuleContext, vm: Vm, fd: number) => void }[]
).map(
  ({ id, says, check }): Rule => ({
    id,
    says,
    source: 'API document, KVM_IOEVENTFD',
    needs: [capability(id === 'ioeventfd/any-length' ? 'IOEVENTFD_ANY_LENGTH' : 'IOEVENTFD')],
    check: (ctx) => check(ctx, ctx.vm(), ctx.eventFd().fd),
  }),
);
