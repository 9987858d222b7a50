import { asm16 } from '../guests/asm16.ts';
import { type Code, program } from '../guests/bytes.ts';
import { REAL_CODE, type RealModeGuest, realModeGuest } from '../guests/real-mode.ts';
import { capability, guestMemfdMmap, guestMemfdOnDefaultVm, hardwareVirtualization } from '../needs.ts';
import { GMEM, MEM, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

/** Where DS points: the slot under test. */
const BASE = 0x8_0000;
const OTHER = 0x9_0000;
const SLOT = 1;
/** Tells user space that a step is done. */
const TELL = asm16.outImm8(0xe1);

function guest(ctx: RuleContext, ...code: readonly Code[]): RealModeGuest {
  return realModeGuest(ctx, program(...code), { dsBase: BASE });
}

function step(ctx: RuleContext, { vcpu }: RealModeGuest, what: string): number {
  return ctx.runTo(vcpu, 'io', what).data[0] ?? 0;
}

/** A slot on default VMs with a guest_memfd that serves all of it, and the host's mapping of the file. */
function mappedSlot(ctx: RuleContext, { vm }: RealModeGuest, size: number) {
  const file = ctx.guestMemfd(vm, size, GMEM.MMAP | GMEM.INIT_SHARED);
  const map = ctx.closing(ctx.kvm.mapGuestMemfd(file.fd, size));
  const backing = { guestMemfd: file.fd, guestMemfdOffset: 0 };
  vm.setUserMemoryRegion2({ slot: SLOT, flags: MEM.GUEST_MEMFD, gpa: BASE, size, hva: map.hva, ...backing });
  return { file, map };
}

export const guestMemoryRules: readonly Rule[] = [
  {
    id: 'guest-memory/host-sees-guest-writes',
    says: 'What the guest writes to a slot is in the host’s memory, and the other way round.',
    source: 'API document, KVM_SET_USER_MEMORY_REGION',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.movAl(7), asm16.storeAl(1), TELL);
      const memory = ctx.memory(PAGE);
      ctx.slot(started.vm, SLOT, BASE, memory);
      memory.write(0, Uint8Array.of(5));
      ctx.equal(step(ctx, started, 'the read'), 5, 'what the guest read');
      memory.write(0, Uint8Array.of(6));
      step(ctx, started, 'the write');
      ctx.bytes(memory.read(0, 2), [6, 7], 'the host’s memory');
    },
  },
  {
    id: 'guest-memory/deleted-slot-is-mmio',
    says: 'After its slot was deleted, memory that the guest has used is a device: the next access exits.',
    source: 'API document, KVM_SET_USER_MEMORY_REGION; set_memory_region_test',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.loadAl(0), asm16.hlt);
      const region = ctx.slot(started.vm, SLOT, BASE, ctx.memory(PAGE));
      step(ctx, started, 'the read while the slot is there');
      started.vm.setUserMemoryRegion({ ...region, size: 0 });
      ctx.equal(ctx.runTo(started.vcpu, 'mmio').gpa, BASE, 'address');
    },
  },
  {
    id: 'guest-memory/new-slot-ends-mmio',
    says: 'A slot that is created where the guest met a device is memory from then on.',
    source: 'API document, KVM_SET_USER_MEMORY_REGION',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), asm16.loadAl(0), TELL);
      ctx.runTo(started.vcpu, 'mmio').data[0] = 1;
      // The reply is taken before the slot is there.
      started.vcpu.completeExit();
      const memory = ctx.memory(PAGE);
      memory.write(0, Uint8Array.of(2));
      ctx.slot(started.vm, SLOT, BASE, memory);
      ctx.equal(step(ctx, started, 'the read of the slot'), 2, 'what the guest read');
    },
  },
  {
    id: 'guest-memory/moved-slot',
    says: 'A moved slot shows its memory at the new place, and the old place is a device.',
    source: 'API document, KVM_SET_USER_MEMORY_REGION; set_memory_region_test',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL);
      const memory = ctx.memory(PAGE);
      memory.write(0, Uint8Array.of(9));
      const region = ctx.slot(started.vm, SLOT, OTHER, memory);
      started.vm.setUserMemoryRegion({ ...region, gpa: BASE });
      ctx.equal(step(ctx, started, 'the read at the new place'), 9, 'what the guest read');
      started.vm.setUserMemoryRegion({ ...region, gpa: BASE + 4 * PAGE });
      started.vcpu.setRegs({ ...started.vcpu.getRegs(), rip: BigInt(REAL_CODE) });
      ctx.equal(ctx.runTo(started.vcpu, 'mmio').gpa, BASE, 'address of the exit at the old place');
    },
  },
  {
    id: 'guest-memory/read-only-slot',
    says: 'A read-only slot is read without exits; a write exits as to a device and changes nothing.',
    source: 'API document, KVM_CAP_READONLY_MEM',
    needs: [capability('READONLY_MEM')],
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.movAl(9), asm16.storeAl(0), asm16.loadAl(0), TELL);
      const memory = ctx.memory(PAGE);
      memory.write(0, Uint8Array.of(5));
      ctx.slot(started.vm, SLOT, BASE, memory, MEM.READONLY);
      ctx.equal(step(ctx, started, 'the read'), 5, 'what the guest read');
      const exit = ctx.runTo(started.vcpu, 'mmio');
      ctx.equal(exit.isWrite, true, 'is a write');
      ctx.equal(exit.gpa, BASE, 'address');
      ctx.bytes(exit.data, [9], 'the byte');
      ctx.equal(step(ctx, started, 'the read after the write'), 5, 'what the guest read after');
      ctx.equal(memory.read(0, 1)[0], 5, 'the host’s memory');
    },
  },
  {
    id: 'guest-memory/alias-slots-share-bytes',
    says: 'Two slots on the same host memory show the same bytes at once.',
    source: 'API document, KVM_SET_USER_MEMORY_REGION',
    check: (ctx) => {
      const other = 4 * PAGE;
      const started = guest(ctx, asm16.movAl(3), asm16.storeAl(0), asm16.movAl(0), asm16.loadAl(other), TELL);
      const memory = ctx.memory(PAGE);
      ctx.slot(started.vm, SLOT, BASE, memory);
      ctx.slot(started.vm, SLOT + 1, BASE + other, memory);
      ctx.equal(step(ctx, started, 'the read'), 3, 'what the guest read through the other slot');
      ctx.equal(memory.read(0, 1)[0], 3, 'the host’s memory');
    },
  },
  {
    id: 'guest-memory/given-back-pages-read-as-zeros',
    says: 'Pages that the host gave back while the guest used them read as zeros: KVM follows the host’s page tables.',
    source: 'API document, KVM_CAP_SYNC_MMU',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.loadAl(0), TELL);
      const memory = ctx.memory(PAGE);
      memory.write(0, Uint8Array.of(5));
      ctx.slot(started.vm, SLOT, BASE, memory);
      ctx.equal(step(ctx, started, 'the first read'), 5, 'what the guest read');
      memory.discard(0, PAGE);
      ctx.equal(step(ctx, started, 'the read after'), 0, 'what the guest read after');
    },
  },
  {
    id: 'guest-memory/guest-touches-allocate',
    says: 'Memory of a slot is allocated when the guest touches it, page by page.',
    source: 'API document, KVM_CAP_SYNC_MMU: a slot is the process’s own memory',
    check: (ctx) => {
      const started = guest(ctx, asm16.movAl(1), asm16.storeAl(2 * PAGE), TELL);
      const memory = ctx.memory(8 * PAGE);
      ctx.slot(started.vm, SLOT, BASE, memory);
      ctx.equal(memory.residentBytes(), 0, 'resident bytes before');
      step(ctx, started, 'the write');
      ctx.equal(memory.residentBytes(2 * PAGE, PAGE), PAGE, 'resident bytes of the page');
      ctx.equal(memory.residentBytes(), PAGE, 'resident bytes in all');
    },
  },
];

export const guestMemfdGuestRules: readonly Rule[] = [
  {
    id: 'guest-memfd-guest/map-and-guest-share-bytes',
    says: 'On a default VM the guest and a mapping of the guest_memfd see each other’s writes.',
    source: 'guest_memfd_test, the guest’s use of INIT_SHARED memory',
    since: '6.18',
    needs: [guestMemfdMmap],
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.movAl(7), asm16.storeAl(PAGE), TELL);
      const { map, file } = mappedSlot(ctx, started, 4 * PAGE);
      map.write(0, Uint8Array.of(5));
      ctx.equal(step(ctx, started, 'the read'), 5, 'what the guest read');
      step(ctx, started, 'the write');
      ctx.equal(map.read(PAGE, 1)[0], 7, 'the mapping');
      ctx.equal(file.allocatedBytes(), 2 * PAGE, 'allocated bytes');
    },
  },
  {
    id: 'guest-memfd-guest/punched-pages-are-zeros',
    says: 'After a hole was punched under the guest, it reads zeros there.',
    source: 'private_mem_conversions_test; guest_memfd_test',
    since: '6.18',
    needs: [guestMemfdMmap],
    check: (ctx) => {
      const started = guest(ctx, asm16.movAl(7), asm16.storeAl(0), TELL, asm16.loadAl(0), TELL);
      const { file } = mappedSlot(ctx, started, 4 * PAGE);
      step(ctx, started, 'the write');
      file.punch(0, PAGE);
      ctx.equal(file.allocatedBytes(), 0, 'allocated bytes after the hole');
      ctx.equal(step(ctx, started, 'the read after'), 0, 'what the guest read after');
    },
  },
  {
    id: 'guest-memfd-guest/closed-file-is-not-backed',
    says: 'The slot does not hold the file: once it is closed, the guest’s access ends KVM_RUN with a memory fault.',
    source: 'kernel, virt/kvm/guest_memfd.c',
    since: '6.18',
    needs: [hardwareVirtualization, guestMemfdMmap],
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL);
      const file = started.vm.createGuestMemfd(PAGE, GMEM.MMAP | GMEM.INIT_SHARED);
      const backing = { guestMemfd: file.fd, guestMemfdOffset: 0 };
      const { vm } = started;
      vm.setUserMemoryRegion2({ slot: SLOT, flags: MEM.GUEST_MEMFD, gpa: BASE, size: PAGE, hva: 0, ...backing });
      file.close();
      const exit = ctx.runTo(started.vcpu, 'memory-fault');
      ctx.equal(exit.gpa, BASE, 'address');
      ctx.equal(exit.isPrivate, false, 'is private');
    },
  },
];

export const closeOrderRules: readonly Rule[] = [
  {
    id: 'close-order/vcpu-outlives-vm-descriptor',
    says: 'A vCPU holds its VM: with the VM’s descriptor closed, the guest still runs.',
    source: 'API document, file descriptors',
    check: (ctx) => {
      const vm = ctx.kvm.createVm(0);
      let isOpen = true;
      try {
        const { vcpu } = realModeGuest(ctx, program(asm16.movAl(4), asm16.hlt), { vm });
        vm.close();
        isOpen = false;
        ctx.runTo(vcpu, 'hlt');
        ctx.equal(vcpu.getRegs().rax & 0xffn, 4n, 'AL');
      } finally {
        if (isOpen) vm.close();
      }
    },
  },
  {
    id: 'close-order/guest-memfd-outlives-vm-descriptor',
    says: 'A guest_memfd holds its VM: with the VM’s descriptor closed, memory is still allocated and given back.',
    source: 'private_mem_conversions_test: guest_memfd is used after the VM was closed',
    since: '6.18',
    needs: [guestMemfdOnDefaultVm],
    check: (ctx) => {
      const vm = ctx.kvm.createVm(0);
      const file = ctx.guestMemfd(vm, 4 * PAGE);
      vm.close();
      ctx.accepts(() => file.allocate(0, 2 * PAGE), 'allocate');
      ctx.equal(file.allocatedBytes(), 2 * PAGE, 'allocated bytes');
      ctx.accepts(() => file.punch(0, 4 * PAGE), 'punch');
      ctx.equal(file.allocatedBytes(), 0, 'allocated bytes after the hole');
    },
  },
  {
    id: 'close-order/handle-opens-the-same-vm',
    says: 'A VM that was opened from its handle is the same VM.',
    source: 'the port: objects open again from a handle in another thread',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, 0, 0, ctx.memory(PAGE));
      const again = ctx.kvm.openVm(vm.handle);
      const vcpu = ctx.closing(again.createVcpu(0));
      ctx.refuses('EEXIST', () => vm.createVcpu(0), 'the same vCPU id through the first object');
      ctx.equal(vcpu.getRegs().rip, 0xfff0n, 'RIP of the vCPU');
      again.close();
      ctx.accepts(() => ctx.vcpu(vm, 1), 'a vCPU after the second object was closed');
    },
  },
];
