import type { GuestMemfd } from '../../src/port/guest-memfd.ts';
import type { MemoryRegion2, Vm } from '../../src/port/vm.ts';
import { guestMemfd, guestMemfdFile, guestMemfdVmType, noCapabilityOnDefaultVm } from '../needs.ts';
import { MEM, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const SIZE = 4 * PAGE;
const FAR_GPA = 0x1000_0000;
const NO_SUCH_FD = 0xffff;

/** A VM of the first type here that has guest_memfd. */
function guestMemfdVm(ctx: RuleContext): Vm {
  const type = guestMemfdVmType(ctx);
  if (type === undefined) throw new Error('guarded by the need for guest_memfd');
  return ctx.vm(type);
}

interface Fixture {
  readonly vm: Vm;
  readonly file: GuestMemfd;
  readonly region: MemoryRegion2;
}

/** A VM with a guest_memfd of twice the region's size, and a region on its first half. */
function fixture(ctx: RuleContext): Fixture {
  const vm = guestMemfdVm(ctx);
  const file = ctx.guestMemfd(vm, 2 * SIZE);
  const { hva } = ctx.memory(SIZE);
  const flags = MEM.GUEST_MEMFD;
  return { vm, file, region: { slot: 0, flags, gpa: 0, size: SIZE, hva, guestMemfd: file.fd, guestMemfdOffset: 0 } };
}

const own = {
  source: 'API document, KVM_SET_USER_MEMORY_REGION2; set_memory_region_test',
  since: '6.8',
  needs: [guestMemfd],
} as const;

export const memoryRegionGuestMemfdRules: readonly Rule[] = [
  {
    ...own,
    id: 'memory-region-2/guest-memfd-create-and-delete',
    says: 'A slot with a guest_memfd is created, deleted, and created again.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      ctx.accepts(() => vm.setUserMemoryRegion2(region), 'create');
      ctx.accepts(() => vm.setUserMemoryRegion2({ ...region, size: 0 }), 'delete');
      ctx.accepts(() => vm.setUserMemoryRegion2(region), 'create again');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-two-slots-of-one-file',
    says: 'Two slots may have different parts of one guest_memfd behind them.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      vm.setUserMemoryRegion2(region);
      ctx.accepts(() => vm.setUserMemoryRegion2({ ...region, slot: 1, gpa: FAR_GPA, guestMemfdOffset: SIZE }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-hva-0-ok',
    says: 'The shared side may be left at address 0: it is looked at when the guest first touches shared memory.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      ctx.accepts(() => vm.setUserMemoryRegion2({ ...region, hva: 0 }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-dirty-log-einval',
    says: 'A slot with a guest_memfd cannot log dirty pages.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      const flags = MEM.GUEST_MEMFD | MEM.LOG_DIRTY_PAGES;
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, flags }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-read-only-einval',
    says: 'A slot with a guest_memfd cannot be read-only.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      const flags = MEM.GUEST_MEMFD | MEM.READONLY;
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, flags }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-closed-fd-ebadf',
    says: 'A descriptor that is not open is refused with EBADF.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      ctx.refuses('EBADF', () => vm.setUserMemoryRegion2({ ...region, guestMemfd: NO_SUCH_FD }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-other-file-einval',
    says: 'A descriptor of something else, a VM or a memfd, is refused with EINVAL.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfd: vm.handle.fd }), 'a VM');
      const memfd = ctx.closing(ctx.kvm.allocateMemfd('conformance', SIZE)).handle.fd;
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfd: memfd }), 'a memfd');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-of-another-vm-einval',
    says: 'A guest_memfd belongs to the VM that created it; another one is refused with EINVAL.',
    check: (ctx) => {
      const { region } = fixture(ctx);
      const other = guestMemfdVm(ctx);
      ctx.refuses('EINVAL', () => other.setUserMemoryRegion2(region));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-unaligned-offset-einval',
    says: 'An offset into the guest_memfd that is not whole pages is refused with EINVAL.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      for (const guestMemfdOffset of [1, 8, 512, PAGE - 1, PAGE + 1])
        ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfdOffset }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-beyond-file-einval',
    says: 'A range that reaches beyond the end of the guest_memfd is refused with EINVAL.',
    check: (ctx) => {
      const { vm, region, file } = fixture(ctx);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfdOffset: file.size }), 'behind');
      const across = file.size - SIZE + PAGE;
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfdOffset: across }), 'across');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-offset-wrap-einval',
    says: 'An offset whose range wraps is refused with EINVAL.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      const guestMemfdOffset = 2n ** 64n - BigInt(PAGE);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfdOffset }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-offset-beyond-files-einval',
    says: 'An offset whose range ends beyond the largest file is refused with EINVAL.',
    source: 'kernel, virt/kvm/guest_memfd.c; asked: 7.3.4 refuses, 6.18.44 lets a signed sum overflow and accepts',
    since: '7.3',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      const guestMemfdOffset = 2n ** 63n - BigInt(PAGE);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, guestMemfdOffset }));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-already-bound',
    says: 'A part of a guest_memfd that is behind one slot cannot be put behind a second one.',
    source: 'kernel, virt/kvm/guest_memfd.c; asked: 6.18.44 says EINVAL, 7.3.4 EEXIST',
    variants: [
      { until: '6.19', errnos: ['EINVAL'] },
      { since: '6.19', until: '7.3', errnos: ['EINVAL', 'EEXIST'] },
      { since: '7.3', errnos: ['EEXIST'] },
    ],
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      vm.setUserMemoryRegion2(region);
      const second = { ...region, slot: 1, gpa: FAR_GPA };
      ctx.refuses(ctx.errnos(), () => vm.setUserMemoryRegion2(second), 'the same part');
      const overlapping = { ...second, guestMemfdOffset: SIZE - PAGE };
      ctx.refuses(ctx.errnos(), () => vm.setUserMemoryRegion2(overlapping), 'its last page');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-overlap-gpa-eexist',
    says: 'Guest addresses that overlap another slot’s are refused with EEXIST, before the guest_memfd is bound.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      vm.setUserMemoryRegion2(region);
      const second = { ...region, slot: 1, guestMemfdOffset: SIZE };
      ctx.refuses('EEXIST', () => vm.setUserMemoryRegion2(second));
      ctx.accepts(() => vm.setUserMemoryRegion2({ ...second, gpa: FAR_GPA }), 'elsewhere');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-immutable-einval',
    says: 'A slot with a guest_memfd never changes: not moved, not set to what it is, not without its flag.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      vm.setUserMemoryRegion2(region);
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2(region), 'the same again');
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, gpa: FAR_GPA }), 'a move');
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, flags: 0 }), 'without the flag');
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2({ ...region, size: PAGE }), 'another size');
    },
  },
  {
    ...own,
    id: 'memory-region-2/plain-slot-gets-no-guest-memfd',
    says: 'A slot that was created without a guest_memfd cannot get one.',
    check: (ctx) => {
      const { vm, region } = fixture(ctx);
      vm.setUserMemoryRegion2({ ...region, flags: 0 });
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2(region));
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-outlives-slot',
    says: 'Deleting the slot leaves the guest_memfd and its pages; punching gives them back.',
    check: (ctx) => {
      const { vm, region, file } = fixture(ctx);
      vm.setUserMemoryRegion2(region);
      file.allocate(0, SIZE);
      vm.setUserMemoryRegion2({ ...region, size: 0 });
      ctx.equal(file.allocatedBytes(), SIZE, 'allocated bytes after the slot is gone');
      file.punch(0, SIZE);
      ctx.equal(file.allocatedBytes(), 0, 'allocated bytes after the hole');
    },
  },
  {
    ...own,
    id: 'memory-region-2/guest-memfd-on-vm-without-support-einval',
    says: 'On a VM whose KVM_CAP_GUEST_MEMFD is 0 no slot can have a guest_memfd, though the file can be created.',
    source: 'kernel, virt/kvm/kvm_main.c: only for VMs with private memory, before 6.18',
    needs: [guestMemfdFile, noCapabilityOnDefaultVm('GUEST_MEMFD')],
    check: (ctx) => {
      const vm = ctx.vm();
      const { fd } = ctx.guestMemfd(vm, SIZE);
      const { hva } = ctx.memory(SIZE);
      const region = { slot: 0, flags: MEM.GUEST_MEMFD, gpa: 0, size: SIZE, hva, guestMemfd: fd, guestMemfdOffset: 0 };
      ctx.refuses('EINVAL', () => vm.setUserMemoryRegion2(region));
    },
  },
];
