import type { Vm } from '../../src/port/vm.ts';
import { capability, noCapability, privateMemory } from '../needs.ts';
import { ATTRIBUTE_PRIVATE, CAP, PAGE, VM_TYPE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const own = {
  source: 'API document, KVM_SET_MEMORY_ATTRIBUTES',
  since: '6.8',
  needs: [privateMemory],
} as const;

const privateVm = (ctx: RuleContext): Vm => ctx.vm(VM_TYPE.SW_PROTECTED);

export const memoryAttributeRules: readonly Rule[] = [
  {
    ...own,
    id: 'memory-attributes/without-support-enotty',
    says: 'A kernel that is built without memory attributes does not know the call.',
    needs: [noCapability('MEMORY_ATTRIBUTES')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENOTTY', () => vm.setMemoryAttributes(0, PAGE, ATTRIBUTE_PRIVATE));
    },
  },
  {
    ...own,
    id: 'memory-attributes/default-vm-has-none',
    says: 'A default VM offers no attribute, and refuses the private one.',
    needs: [capability('MEMORY_ATTRIBUTES')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.equal(vm.checkExtension(CAP.MEMORY_ATTRIBUTES), 0, 'KVM_CAP_MEMORY_ATTRIBUTES on the VM');
      ctx.refuses('EINVAL', () => vm.setMemoryAttributes(0, PAGE, ATTRIBUTE_PRIVATE));
    },
  },
  {
    ...own,
    id: 'memory-attributes/there-and-back',
    says: 'A range becomes private and shared again, with or without a slot behind it.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      ctx.accepts(() => vm.setMemoryAttributes(0, 16 * PAGE, ATTRIBUTE_PRIVATE), 'private');
      ctx.accepts(() => vm.setMemoryAttributes(0, 16 * PAGE, ATTRIBUTE_PRIVATE), 'private again');
      ctx.accepts(() => vm.setMemoryAttributes(4 * PAGE, PAGE, 0), 'one page shared');
      ctx.accepts(() => vm.setMemoryAttributes(0, 16 * PAGE, 0), 'all shared');
    },
  },
  {
    ...own,
    id: 'memory-attributes/flags-einval',
    says: 'Flags are reserved: anything but 0 is refused with EINVAL.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      for (const flags of [1, 2, 2n ** 63n])
        ctx.refuses('EINVAL', () => vm.setMemoryAttributes(0, PAGE, ATTRIBUTE_PRIVATE, flags), `flags ${flags}`);
    },
  },
  {
    ...own,
    id: 'memory-attributes/unknown-attribute-einval',
    says: 'Each attribute that KVM_CAP_MEMORY_ATTRIBUTES does not list is refused with EINVAL.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      const known = BigInt(vm.checkExtension(CAP.MEMORY_ATTRIBUTES));
      for (let bit = 0n; bit < 64n; bit += 1n)
        if (((known >> bit) & 1n) === 0n)
          ctx.refuses('EINVAL', () => vm.setMemoryAttributes(0, PAGE, 1n << bit), `attribute bit ${bit}`);
    },
  },
  {
    ...own,
    id: 'memory-attributes/size-0-einval',
    says: 'Size 0 is refused with EINVAL.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      ctx.refuses('EINVAL', () => vm.setMemoryAttributes(0, 0, ATTRIBUTE_PRIVATE));
    },
  },
  {
    ...own,
    id: 'memory-attributes/wrap-einval',
    says: 'A range that wraps is refused with EINVAL.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      const top = 2n ** 64n - BigInt(PAGE);
      ctx.refuses('EINVAL', () => vm.setMemoryAttributes(top, 2 * PAGE, ATTRIBUTE_PRIVATE));
    },
  },
  {
    ...own,
    id: 'memory-attributes/unaligned-einval',
    says: 'An address or size that is not whole pages is refused with EINVAL.',
    check: (ctx) => {
      const vm = privateVm(ctx);
      for (const off of [1, 512, PAGE - 1]) {
        ctx.refuses('EINVAL', () => vm.setMemoryAttributes(off, PAGE, ATTRIBUTE_PRIVATE), `address ${off}`);
        ctx.refuses('EINVAL', () => vm.setMemoryAttributes(0, PAGE + off, ATTRIBUTE_PRIVATE), `size ${PAGE + off}`);
      }
    },
  },
];
