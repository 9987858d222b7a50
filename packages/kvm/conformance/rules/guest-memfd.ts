import { guestMemfdFile, guestMemfdMmap, privateMemory } from '../needs.ts';
import { CAP, GMEM, PAGE, VM_TYPE } from '../numbers.ts';
import type { Rule } from '../rule.ts';

const SIZE = 16 * PAGE;
const MAX_SIZE = 2n ** 63n - BigInt(PAGE);

/** Offsets and lengths, at least one of them not whole pages. */
const UNALIGNED = [
  [0, 1],
  [0, PAGE - 1],
  [0, PAGE + 1],
  [1, 1],
  [1, PAGE],
  [1, PAGE - 1],
  [PAGE, 1],
  [PAGE, PAGE - 1],
  [PAGE - 1, PAGE],
  [PAGE + 1, PAGE],
] as const;

export const guestMemfdRules: readonly Rule[] = [
  {
    id: 'guest-memfd/create',
    says: 'A guest_memfd of whole pages is created, and each is a file of its own.',
    source: 'API document, KVM_CREATE_GUEST_MEMFD; guest_memfd_test',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      const first = ctx.accepts(() => ctx.guestMemfd(vm, PAGE));
      const second = ctx.accepts(() => ctx.guestMemfd(vm, SIZE));
      ctx.holds(first.fd !== second.fd, 'two different descriptors', first.fd);
    },
  },
  {
    id: 'guest-memfd/create-allocates-nothing',
    says: 'Creating a guest_memfd allocates no memory, however large it is.',
    source: 'API document, KVM_CREATE_GUEST_MEMFD',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => ctx.guestMemfd(vm, 2 ** 50), 'a petabyte');
      ctx.accepts(() => ctx.guestMemfd(vm, MAX_SIZE), 'the largest file');
      ctx.equal(ctx.guestMemfd(vm, 2 ** 30).allocatedBytes(), 0, 'allocated bytes of a new file');
    },
  },
  {
    id: 'guest-memfd/create-size-0-einval',
    says: 'Size 0 is refused with EINVAL.',
    source: 'guest_memfd_test',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.createGuestMemfd(0));
    },
  },
  {
    id: 'guest-memfd/create-unaligned-einval',
    says: 'A size that is not whole pages is refused with EINVAL.',
    source: 'guest_memfd_test',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      for (const off of [1, 2, 512, PAGE - 1]) ctx.refuses('EINVAL', () => vm.createGuestMemfd(PAGE + off));
    },
  },
  {
    id: 'guest-memfd/create-negative-size-einval',
    says: 'A size that is negative as a file offset is refused with EINVAL.',
    source: 'kernel, virt/kvm/guest_memfd.c',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      for (const size of [2n ** 63n, 2n ** 64n - BigInt(PAGE)]) ctx.refuses('EINVAL', () => vm.createGuestMemfd(size));
    },
  },
  {
    id: 'guest-memfd/create-unknown-flag-einval',
    says: 'Each flag that KVM_CAP_GUEST_MEMFD_FLAGS does not list is refused with EINVAL; kernels before 6.18 list none.',
    source: 'guest_memfd_test',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      const known = BigInt(vm.checkExtension(CAP.GUEST_MEMFD_FLAGS));
      for (let bit = 0n; bit < 64n; bit += 1n)
        if (((known >> bit) & 1n) === 0n)
          ctx.refuses('EINVAL', () => vm.createGuestMemfd(PAGE, 1n << bit), `flag bit ${bit}`);
    },
  },
  {
    id: 'guest-memfd/create-listed-flags-ok',
    says: 'Each flag that KVM_CAP_GUEST_MEMFD_FLAGS lists for the VM is accepted, alone and with the others.',
    source: 'guest_memfd_test',
    since: '6.18',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const vm = ctx.vm();
      const known = vm.checkExtension(CAP.GUEST_MEMFD_FLAGS);
      ctx.accepts(() => ctx.guestMemfd(vm, PAGE, known), `flags ${known}`);
      for (let bit = 1; bit <= known; bit *= 2)
        if ((known & bit) !== 0) ctx.accepts(() => ctx.guestMemfd(vm, PAGE, bit), `flag ${bit}`);
    },
  },
  {
    id: 'guest-memfd/init-shared-on-private-vm-einval',
    says: 'A VM with private memory has no guest_memfd that starts as shared.',
    source: 'kernel mail on GUEST_MEMFD_FLAG_INIT_SHARED; until in-place conversion, applied after 7.3',
    since: '6.18',
    until: '7.4',
    needs: [privateMemory],
    check: (ctx) => {
      const vm = ctx.vm(VM_TYPE.SW_PROTECTED);
      ctx.refuses('EINVAL', () => vm.createGuestMemfd(PAGE, GMEM.INIT_SHARED));
    },
  },
  {
    id: 'guest-memfd/allocate-and-punch',
    says: 'Memory is allocated by fallocate, once, and given back by punching a hole.',
    source: 'guest_memfd_test, fallocate',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      file.allocate(0, 4 * PAGE);
      ctx.equal(file.allocatedBytes(), 4 * PAGE, 'after four pages');
      file.allocate(0, 4 * PAGE);
      ctx.equal(file.allocatedBytes(), 4 * PAGE, 'after the same four pages');
      file.punch(PAGE, 2 * PAGE);
      ctx.equal(file.allocatedBytes(), 2 * PAGE, 'after two of them were punched');
      file.punch(0, SIZE);
      ctx.equal(file.allocatedBytes(), 0, 'after all was punched');
    },
  },
  {
    id: 'guest-memfd/allocate-unaligned-einval',
    says: 'An offset or length that is not whole pages is refused with EINVAL.',
    source: 'guest_memfd_test, fallocate',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      for (const [offset, length] of UNALIGNED)
        ctx.refuses('EINVAL', () => file.allocate(offset, length), `allocate ${offset}, ${length}`);
    },
  },
  {
    id: 'guest-memfd/punch-unaligned-einval',
    says: 'A hole whose offset or length is not whole pages is refused with EINVAL.',
    source: 'guest_memfd_test, fallocate',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      for (const [offset, length] of UNALIGNED)
        ctx.refuses('EINVAL', () => file.punch(offset, length), `punch ${offset}, ${length}`);
    },
  },
  {
    id: 'guest-memfd/length-0-einval',
    says: 'Length 0 is refused with EINVAL, as everywhere in fallocate.',
    source: 'guest_memfd_test, fallocate; fallocate(2)',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      ctx.refuses('EINVAL', () => file.allocate(0, 0), 'allocate');
      ctx.refuses('EINVAL', () => file.punch(0, 0), 'punch');
    },
  },
  {
    id: 'guest-memfd/allocate-past-end-einval',
    says: 'Allocating past the end of the file is refused with EINVAL: its size never changes.',
    source: 'guest_memfd_test, fallocate',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      ctx.refuses('EINVAL', () => file.allocate(SIZE, PAGE), 'behind the end');
      ctx.refuses('EINVAL', () => file.allocate(SIZE - PAGE, 2 * PAGE), 'across the end');
    },
  },
  {
    id: 'guest-memfd/punch-past-end-ok',
    says: 'Punching past the end of the file does nothing and succeeds.',
    source: 'guest_memfd_test, fallocate',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      file.allocate(0, SIZE);
      ctx.accepts(() => file.punch(SIZE, PAGE), 'behind the end');
      ctx.accepts(() => file.punch(SIZE - PAGE, 2 * PAGE), 'across the end');
      ctx.equal(file.allocatedBytes(), SIZE - PAGE, 'allocated bytes');
    },
  },
  {
    id: 'guest-memfd/mmap-without-flag-enodev',
    says: 'A guest_memfd that was not created with MMAP cannot be mapped: ENODEV.',
    source: 'guest_memfd_test, mmap',
    since: '6.8',
    needs: [guestMemfdFile],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE);
      ctx.refuses('ENODEV', () => ctx.kvm.mapGuestMemfd(file.fd, SIZE));
    },
  },
  {
    id: 'guest-memfd/mmap-reads-zeros-and-keeps-writes',
    says: 'A mapped guest_memfd that starts as shared reads as zeros, and what is written stays.',
    source: 'guest_memfd_test, mmap',
    since: '6.18',
    needs: [guestMemfdMmap],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE, GMEM.MMAP | GMEM.INIT_SHARED);
      const first = ctx.closing(ctx.kvm.mapGuestMemfd(file.fd, SIZE));
      ctx.bytes(first.read(0, 4), [0, 0, 0, 0], 'a new page');
      first.write(0, Uint8Array.of(1, 2, 3, 4));
      const second = ctx.closing(ctx.kvm.mapGuestMemfd(file.fd, SIZE));
      ctx.bytes(second.read(0, 4), [1, 2, 3, 4], 'the page through a second mapping');
      ctx.equal(file.allocatedBytes(), PAGE, 'allocated bytes');
    },
  },
  {
    id: 'guest-memfd/punch-zeroes-mapping',
    says: 'After a hole was punched, a mapping reads zeros there and its neighbours are as before.',
    source: 'guest_memfd_test; private_mem_conversions_test',
    since: '6.18',
    needs: [guestMemfdMmap],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE, GMEM.MMAP | GMEM.INIT_SHARED);
      const map = ctx.closing(ctx.kvm.mapGuestMemfd(file.fd, SIZE));
      map.fill(0, 3 * PAGE, 0xaa);
      file.punch(PAGE, PAGE);
      ctx.equal(file.allocatedBytes(), 2 * PAGE, 'allocated bytes');
      ctx.bytes(map.read(PAGE - 1, 2), [0xaa, 0], 'around the start of the hole');
      ctx.bytes(map.read(2 * PAGE - 1, 2), [0, 0xaa], 'around the end of the hole');
    },
  },
  {
    id: 'guest-memfd/host-fault-on-private-memory-refused',
    says: 'A mapped guest_memfd that does not start as shared cannot be touched by the host.',
    source: 'guest_memfd_test: SIGBUS on private memory',
    since: '6.18',
    needs: [guestMemfdMmap],
    check: (ctx) => {
      const file = ctx.guestMemfd(ctx.vm(), SIZE, GMEM.MMAP);
      const map = ctx.accepts(() => ctx.closing(ctx.kvm.mapGuestMemfd(file.fd, SIZE)), 'mmap');
      // Populating asks for the same fault as a touch, and answers it as an errno instead of SIGBUS.
      ctx.refuses('EFAULT', () => map.populate(0, PAGE), 'the fault');
      ctx.equal(file.allocatedBytes(), 0, 'allocated bytes');
    },
  },
];
