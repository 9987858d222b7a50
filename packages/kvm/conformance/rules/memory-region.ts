import type { MemoryRegion, Vm } from '../../src/port/vm.ts';
import { capability } from '../needs.ts';
import { CAP, MEM, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const KERNEL_ADDRESS = 0xffff_8000_0000_0000n;
const TOP_PAGE = 2n ** 64n - BigInt(PAGE);
/** KVM counts a slot's pages in 31 bits. */
const TOO_MANY_PAGES_BYTES = 2 ** 43;
/** No x86 processor has more than 52 bits of physical address. */
const BEYOND_PHYSICAL = 2 ** 52;
const FAR_GPA = 0x1000_0000;

type SetRegion = (vm: Vm, region: MemoryRegion) => void;

interface Case {
  readonly id: string;
  readonly says: string;
  readonly needs?: Rule['needs'];
  readonly check: (ctx: RuleContext, set: SetRegion) => void;
}

/** The rules that both calls share: KVM_SET_USER_MEMORY_REGION2 without a guest_memfd is the first call. */
const CASES: readonly Case[] = [
  {
    id: 'create-and-delete',
    says: 'A slot is created, and deleted by size 0.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.accepts(() => set(vm, region), 'create');
      ctx.accepts(() => set(vm, { ...region, size: 0 }), 'delete');
      ctx.accepts(() => set(vm, region), 'create again');
    },
  },
  {
    id: 'delete-absent-einval',
    says: 'Deleting a slot that is not there is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => set(vm, { ...region, size: 0 }));
      set(vm, region);
      set(vm, { ...region, size: 0 });
      ctx.refuses('EINVAL', () => set(vm, { ...region, size: 0 }), 'the second delete');
    },
  },
  {
    id: 'unaligned-size-einval',
    says: 'A size that is not whole pages is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      for (const off of [1, 8, 512, PAGE - 1])
        ctx.refuses('EINVAL', () => set(vm, { ...region, size: PAGE + off }), `size ${PAGE + off}`);
    },
  },
  {
    id: 'unaligned-gpa-einval',
    says: 'A guest-physical address inside a page is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      for (const off of [1, 8, 512, PAGE - 1]) ctx.refuses('EINVAL', () => set(vm, { ...region, gpa: off }));
    },
  },
  {
    id: 'unaligned-hva-einval',
    says: 'A host address inside a page is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      for (const off of [1, 8, 512, PAGE - 1])
        ctx.refuses('EINVAL', () => set(vm, { ...region, size: PAGE, hva: Number(region.hva) + off }));
    },
  },
  {
    id: 'kernel-hva-einval',
    says: 'An address of the host’s kernel is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => set(vm, { ...region, hva: KERNEL_ADDRESS }));
    },
  },
  {
    id: 'unmapped-hva-ok',
    says: 'The host address need not be mapped when the slot is created.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const memory = ctx.kvm.allocate(PAGE);
      memory.close();
      ctx.accepts(() => set(vm, { ...region, size: PAGE, hva: memory.hva }));
    },
  },
  {
    id: 'unknown-flag-einval',
    says: 'Each flag that KVM does not define is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      for (let bit = 3; bit < 32; bit += 1)
        ctx.refuses('EINVAL', () => set(vm, { ...region, flags: 2 ** bit }), `flag bit ${bit}`);
    },
  },
  {
    id: 'gpa-wrap-einval',
    says: 'A region that wraps around the end of the address space is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => set(vm, { ...region, gpa: TOP_PAGE, size: 2 * PAGE }));
    },
  },
  {
    id: 'gpa-beyond-physical-einval',
    says: 'A region beyond the largest physical address is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => set(vm, { ...region, gpa: BEYOND_PHYSICAL }));
    },
  },
  {
    id: 'too-many-pages-einval',
    says: 'A slot of 2³¹ pages or more is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => set(vm, { ...region, hva: 0, size: TOO_MANY_PAGES_BYTES }));
    },
  },
  {
    id: 'last-slot-ok-next-einval',
    says: 'Slots go up to KVM_CAP_NR_MEMSLOTS − 1; the next one is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const slots = vm.checkExtension(CAP.NR_MEMSLOTS);
      ctx.accepts(() => set(vm, { ...region, slot: slots - 1 }), `slot ${slots - 1}`);
      ctx.refuses('EINVAL', () => set(vm, { ...region, slot: slots, gpa: FAR_GPA }), `slot ${slots}`);
      ctx.refuses('EINVAL', () => set(vm, { ...region, slot: 0xffff, gpa: FAR_GPA }), 'slot 65535');
    },
  },
  {
    id: 'address-space-beyond-einval',
    says: 'An address space (bits 31:16 of the slot) that the VM does not have is refused with EINVAL.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const spaces = Math.max(1, vm.checkExtension(CAP.MULTI_ADDRESS_SPACE));
      ctx.refuses('EINVAL', () => set(vm, { ...region, slot: spaces * 0x1_0000 }), `address space ${spaces}`);
      ctx.refuses('EINVAL', () => set(vm, { ...region, slot: 0xffff_0000 }), 'address space 65535');
    },
  },
  {
    id: 'address-spaces-are-apart',
    says: 'Where there is a second address space (SMM), a slot there may have the same guest addresses.',
    needs: [capability('MULTI_ADDRESS_SPACE')],
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.accepts(() => set(vm, { ...region, slot: 0x1_0000 }));
    },
  },
  {
    id: 'overlap-eexist',
    says: 'A slot whose guest addresses overlap another’s is refused with EEXIST, whichever way they overlap.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const middle = { ...region, gpa: FAR_GPA };
      set(vm, middle);
      const size = Number(region.size);
      const other = { ...middle, slot: 1 };
      ctx.refuses('EEXIST', () => set(vm, other), 'the same range');
      ctx.refuses('EEXIST', () => set(vm, { ...other, gpa: FAR_GPA - size + PAGE }), 'the last page inside');
      ctx.refuses('EEXIST', () => set(vm, { ...other, gpa: FAR_GPA + size - PAGE }), 'the first page inside');
      ctx.refuses('EEXIST', () => set(vm, { ...other, gpa: FAR_GPA + PAGE, size: PAGE }), 'all inside');
      ctx.refuses('EEXIST', () => set(vm, { ...other, gpa: FAR_GPA - size, size: 3 * size }), 'all around');
    },
  },
  {
    id: 'adjacent-ok',
    says: 'Slots may touch each other.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const size = Number(region.size);
      set(vm, { ...region, gpa: FAR_GPA });
      ctx.accepts(() => set(vm, { ...region, slot: 1, gpa: FAR_GPA - size }), 'the slot below');
      ctx.accepts(() => set(vm, { ...region, slot: 2, gpa: FAR_GPA + size }), 'the slot above');
    },
  },
  {
    id: 'alias-hva-ok',
    says: 'Two slots may have the same host memory behind them.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.accepts(() => set(vm, { ...region, slot: 1, gpa: FAR_GPA }));
    },
  },
  {
    id: 'same-again-ok',
    says: 'Setting a slot to what it already is changes nothing and succeeds.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.accepts(() => set(vm, region));
    },
  },
  {
    id: 'move-ok',
    says: 'A slot may be moved: same slot and size, another guest address.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.accepts(() => set(vm, { ...region, gpa: FAR_GPA }), 'the move');
      ctx.accepts(() => set(vm, { ...region, slot: 1 }), 'a new slot at the old place');
    },
  },
  {
    id: 'move-onto-another-eexist',
    says: 'Moving a slot onto another one is refused with EEXIST.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      set(vm, { ...region, slot: 1, gpa: FAR_GPA });
      ctx.refuses('EEXIST', () => set(vm, { ...region, gpa: FAR_GPA }));
    },
  },
  {
    id: 'resize-einval',
    says: 'A slot cannot change its size.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.refuses('EINVAL', () => set(vm, { ...region, size: PAGE }), 'smaller');
    },
  },
  {
    id: 'change-hva-einval',
    says: 'A slot cannot change its host memory.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      const half = { ...region, size: PAGE };
      set(vm, half);
      ctx.refuses('EINVAL', () => set(vm, { ...half, hva: Number(half.hva) + PAGE }));
    },
  },
  {
    id: 'change-dirty-log-ok',
    says: 'A slot may start and stop to log dirty pages.',
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.accepts(() => set(vm, { ...region, flags: MEM.LOG_DIRTY_PAGES }), 'start');
      ctx.accepts(() => set(vm, region), 'stop');
    },
  },
  {
    id: 'change-read-only-einval',
    says: 'A slot cannot become read-only, or stop being so.',
    needs: [capability('READONLY_MEM')],
    check: (ctx, set) => {
      const [vm, region] = fixture(ctx);
      set(vm, region);
      ctx.refuses('EINVAL', () => set(vm, { ...region, flags: MEM.READONLY }), 'becoming read-only');
      const other = { ...region, slot: 1, gpa: FAR_GPA, flags: MEM.READONLY };
      set(vm, other);
      ctx.refuses('EINVAL', () => set(vm, { ...other, flags: 0 }), 'becoming writable');
    },
  },
];

function fixture(ctx: RuleContext): readonly [Vm, MemoryRegion] {
  const memory = ctx.memory(4 * PAGE);
  return [ctx.vm(), { slot: 0, flags: 0, gpa: 0, size: memory.size, hva: memory.hva }];
}

function bind(prefix: string, source: string, since: string, set: SetRegion): Rule[] {
  return CASES.map(({ id, says, needs = [], check }) => ({
    id: `${prefix}/${id}`,
    says,
    source,
    since,
    needs,
    check: (ctx: RuleContext) => check(ctx, set),
  }));
}

export const memoryRegionRules: readonly Rule[] = [
  ...bind('memory-region', 'API document, KVM_SET_USER_MEMORY_REGION; set_memory_region_test', '2.6.25', (vm, region) =>
    vm.setUserMemoryRegion(region),
  ),
  ...bind('memory-region-2', 'API document, KVM_SET_USER_MEMORY_REGION2; set_memory_region_test', '6.8', (vm, region) =>
    vm.setUserMemoryRegion2({ ...region, guestMemfd: 0, guestMemfdOffset: 0 }),
  ),
  {
    id: 'memory-region/guest-memfd-flag-einval',
    says: 'The first call does not know KVM_MEM_GUEST_MEMFD: EINVAL on every kernel.',
    source: 'set_memory_region_test: flags of the second call only',
    check: (ctx) => {
      const [vm, region] = fixture(ctx);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion({ ...region, flags: MEM.GUEST_MEMFD }));
    },
  },
  {
    id: 'memory-region/read-only-ok',
    says: 'A slot may be created read-only.',
    source: 'API document, KVM_CAP_READONLY_MEM',
    needs: [capability('READONLY_MEM')],
    check: (ctx) => {
      const [vm, region] = fixture(ctx);
      ctx.accepts(() => vm.setUserMemoryRegion({ ...region, flags: MEM.READONLY }));
      ctx.accepts(() => vm.setUserMemoryRegion({ ...region, flags: MEM.READONLY | MEM.LOG_DIRTY_PAGES }), 'with a log');
    },
  },
  {
    id: 'memory-region-2/without-flag-guest-memfd-is-ignored',
    says: 'Without KVM_MEM_GUEST_MEMFD the descriptor and its offset are not looked at.',
    source: 'kernel, virt/kvm/kvm_main.c',
    since: '6.8',
    check: (ctx) => {
      const [vm, region] = fixture(ctx);
      ctx.accepts(() => vm.setUserMemoryRegion2({ ...region, guestMemfd: 0xffff, guestMemfdOffset: 1 }));
    },
  },
];
