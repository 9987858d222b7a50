import { capability } from '../needs.ts';
import { CAP, HYPERCALL, MSR_EXIT } from '../numbers.ts';
import type { Rule } from '../rule.ts';

const NO_SUCH_CAP = 0x7fff;
const MAP_GPA_RANGE = 1 << HYPERCALL.MAP_GPA_RANGE;

/** Capabilities whose first argument is a mask, with a bit that no kernel defines. */
const MASKS = [
  ['MANUAL_DIRTY_LOG_PROTECT2', 2n ** 62n],
  ['DISABLE_QUIRKS2', 2n ** 62n],
  ['X2APIC_API', 2n ** 62n],
  ['X86_DISABLE_EXITS', 2n ** 30n],
  ['X86_USER_SPACE_MSR', 2n ** 30n],
  ['X86_BUS_LOCK_EXIT', 2n ** 30n],
  ['EXIT_HYPERCALL', 2n ** 30n],
  ['EXIT_ON_EMULATION_FAILURE', 2n ** 30n],
] as const satisfies readonly (readonly [keyof typeof CAP, bigint])[];

export const enableCapRules: readonly Rule[] = [
  {
    id: 'enable-cap/unknown-on-vm-einval',
    says: 'Enabling a capability that KVM does not know on a VM is refused with EINVAL.',
    source: 'API document, KVM_ENABLE_CAP',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.enableCap(NO_SUCH_CAP));
    },
  },
  {
    id: 'enable-cap/unknown-on-vcpu-einval',
    says: 'Enabling a capability that KVM does not know on a vCPU is refused with EINVAL.',
    source: 'API document, KVM_ENABLE_CAP',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      ctx.refuses('EINVAL', () => vcpu.enableCap(NO_SUCH_CAP));
    },
  },
  {
    id: 'enable-cap/only-asked-for-einval',
    says: 'A capability that is there but has nothing to enable is refused with EINVAL.',
    source: 'API document, KVM_ENABLE_CAP',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.enableCap(CAP.USER_MEMORY));
    },
  },
  {
    id: 'enable-cap/flags-einval',
    says: 'Flags of KVM_ENABLE_CAP are reserved: anything but 0 is refused with EINVAL.',
    source: 'API document, KVM_ENABLE_CAP',
    needs: [capability('X86_USER_SPACE_MSR')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.enableCap(CAP.X86_USER_SPACE_MSR, [MSR_EXIT.UNKNOWN], 1));
    },
  },
  ...MASKS.map(
    ([name, bit]): Rule => ({
      id: `enable-cap/${name.toLowerCase().replaceAll('_', '-')}-unknown-bit-einval`,
      says: `KVM_CAP_${name} refuses a mask with a bit that is not defined, with EINVAL.`,
      source: `API document, KVM_CAP_${name}`,
      needs: [capability(name)],
      check: (ctx) => {
        const vm = ctx.vm();
        ctx.refuses('EINVAL', () => vm.enableCap(CAP[name], [bit]));
      },
    }),
  ),
  {
    id: 'enable-cap/exit-hypercall-mask-is-answered',
    says: 'KVM_CAP_EXIT_HYPERCALL answers with the mask of hypercalls that can exit, MAP_GPA_RANGE among them.',
    source: 'API document, KVM_CAP_EXIT_HYPERCALL',
    since: '5.14',
    needs: [capability('EXIT_HYPERCALL')],
    check: (ctx) => {
      const mask = ctx.vm().checkExtension(CAP.EXIT_HYPERCALL);
      ctx.equal(mask & MAP_GPA_RANGE, MAP_GPA_RANGE, 'bit 12 of the mask');
    },
  },
  {
    id: 'enable-cap/exit-hypercall-on-and-off',
    says: 'Hypercall exits are switched on, and off again with 0.',
    source: 'API document, KVM_CAP_EXIT_HYPERCALL',
    since: '5.14',
    needs: [capability('EXIT_HYPERCALL')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => vm.enableCap(CAP.EXIT_HYPERCALL, [MAP_GPA_RANGE]), 'on');
      ctx.accepts(() => vm.enableCap(CAP.EXIT_HYPERCALL, [0]), 'off');
    },
  },
  {
    id: 'enable-cap/exit-hypercall-other-numbers-einval',
    says: 'Every hypercall outside the answered mask is refused with EINVAL.',
    source: 'API document, KVM_CAP_EXIT_HYPERCALL',
    since: '5.14',
    needs: [capability('EXIT_HYPERCALL')],
    check: (ctx) => {
      const vm = ctx.vm();
      const mask = vm.checkExtension(CAP.EXIT_HYPERCALL);
      for (let nr = 0; nr < 31; nr += 1)
        if (((mask >> nr) & 1) === 0)
          ctx.refuses('EINVAL', () => vm.enableCap(CAP.EXIT_HYPERCALL, [2 ** nr]), `hypercall ${nr}`);
    },
  },
  {
    id: 'enable-cap/user-space-msr-each-reason',
    says: 'Each reason for MSR exits can be switched on, alone and with the others, and all off again.',
    source: 'API document, KVM_CAP_X86_USER_SPACE_MSR',
    since: '5.10',
    needs: [capability('X86_USER_SPACE_MSR')],
    check: (ctx) => {
      const vm = ctx.vm();
      const { INVAL, UNKNOWN, FILTER } = MSR_EXIT;
      for (const mask of [INVAL, UNKNOWN, FILTER, INVAL | UNKNOWN | FILTER, 0])
        ctx.accepts(() => vm.enableCap(CAP.X86_USER_SPACE_MSR, [mask]), `mask ${mask}`);
    },
  },
  {
    id: 'enable-cap/split-irqchip-too-many-pins-einval',
    says: 'A split irqchip with more reserved pins than KVM has routes is refused with EINVAL.',
    source: 'API document, KVM_CAP_SPLIT_IRQCHIP',
    needs: [capability('SPLIT_IRQCHIP')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.enableCap(CAP.SPLIT_IRQCHIP, [1_000_000]));
    },
  },
  {
    id: 'enable-cap/split-irqchip-after-irqchip-eexist',
    says: 'A VM with an irqchip refuses a split one with EEXIST, and the other way round.',
    source: 'API document, KVM_CAP_SPLIT_IRQCHIP',
    needs: [capability('SPLIT_IRQCHIP')],
    check: (ctx) => {
      const whole = ctx.vm();
      whole.createIrqchip();
      ctx.refuses('EEXIST', () => whole.enableCap(CAP.SPLIT_IRQCHIP, [24]), 'split after whole');
      const split = ctx.vm();
      split.enableCap(CAP.SPLIT_IRQCHIP, [24]);
      ctx.refuses('EEXIST', () => split.createIrqchip(), 'whole after split');
    },
  },
  {
    id: 'enable-cap/max-vcpu-id-limits',
    says: 'KVM_CAP_MAX_VCPU_ID lowers the limit for vCPU ids of this VM, once; more than the maximum is refused.',
    source: 'API document, KVM_CAP_MAX_VCPU_ID',
    since: '6.0',
    check: (ctx) => {
      const vm = ctx.vm();
      const most = vm.checkExtension(CAP.MAX_VCPU_ID);
      ctx.refuses('EINVAL', () => vm.enableCap(CAP.MAX_VCPU_ID, [most + 1]), `limit ${most + 1}`);
      ctx.accepts(() => vm.enableCap(CAP.MAX_VCPU_ID, [2]), 'limit 2');
      ctx.refuses('EINVAL', () => vm.enableCap(CAP.MAX_VCPU_ID, [3]), 'another limit');
      ctx.accepts(() => ctx.vcpu(vm, 1), 'vCPU 1');
      ctx.refuses('EINVAL', () => vm.createVcpu(2), 'vCPU 2');
    },
  },
];
