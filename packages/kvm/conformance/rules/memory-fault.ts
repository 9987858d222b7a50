import type { HostMemory } from '../../src/port/host-memory.ts';
import { asm16 } from '../guests/asm16.ts';
import { type Code, program } from '../guests/bytes.ts';
import { enterRealMode, REAL_CODE, REAL_RAM_BYTES, type RealModeGuest } from '../guests/real-mode.ts';
import { privateMemory } from '../needs.ts';
import { ATTRIBUTE_PRIVATE, MEM, PAGE, VM_TYPE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

const BASE = 0x8_0000;
const SIZE = 4 * PAGE;
const SLOT = 1;
const EFAULT = 14;
const TELL = asm16.outImm8(0xe1);

const own = {
  source: 'API document, KVM_EXIT_MEMORY_FAULT; private_mem_kvm_exits_test; private_mem_conversions_test',
  since: '6.8',
  needs: [privateMemory],
} as const;

/** A software-protected guest whose code is shared memory, and DS at a slot with two sides. */
function guest(ctx: RuleContext, ...code: readonly Code[]) {
  const vm = ctx.vm(VM_TYPE.SW_PROTECTED);
  const memory = ctx.memory(REAL_RAM_BYTES);
  const bytes = program(...code);
  memory.write(REAL_CODE, bytes);
  ctx.slot(vm, 0, 0, memory);
  const shared = ctx.memory(SIZE);
  const file = ctx.guestMemfd(vm, SIZE);
  const backing = { guestMemfd: file.fd, guestMemfdOffset: 0 };
  const region = { slot: SLOT, flags: MEM.GUEST_MEMFD, gpa: BASE, size: SIZE, hva: shared.hva, ...backing };
  vm.setUserMemoryRegion2(region);
  const vcpu = ctx.vcpu(vm);
  vcpu.setCpuid(ctx.kvm.supportedCpuid());
  enterRealMode(vcpu, BASE);
  return { vm, vcpu, memory, shared, file, region };
}

function step(ctx: RuleContext, { vcpu }: RealModeGuest): number {
  return ctx.runTo(vcpu, 'io').data[0] ?? 0;
}

function fill(memory: HostMemory, value: number): void {
  memory.fill(0, memory.size, value);
}

export const memoryFaultRules: readonly Rule[] = [
  {
    ...own,
    id: 'memory-fault/shared-is-the-default',
    says: 'All memory starts as shared: the guest uses the slot’s user memory.',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL);
      fill(started.shared, 5);
      ctx.equal(step(ctx, started), 5, 'what the guest read');
      ctx.equal(started.file.allocatedBytes(), 0, 'allocated bytes of the private side');
    },
  },
  {
    ...own,
    id: 'memory-fault/private-side-is-apart',
    says: 'A private page is the guest_memfd’s: it starts as zeros, and the shared side does not change.',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL, asm16.movAl(7), asm16.storeAl(0), asm16.loadAl(0), TELL);
      fill(started.shared, 5);
      started.vm.setMemoryAttributes(BASE, SIZE, ATTRIBUTE_PRIVATE);
      ctx.equal(step(ctx, started), 0, 'what the guest read');
      ctx.equal(step(ctx, started), 7, 'what it read back');
      ctx.equal(started.shared.read(0, 1)[0], 5, 'the shared side');
      ctx.equal(started.file.allocatedBytes(), PAGE, 'allocated bytes of the private side');
    },
  },
  {
    ...own,
    id: 'memory-fault/conversion-changes-the-side',
    says: 'Converting a page under the guest changes which side it sees, and its neighbours stay.',
    check: (ctx) => {
      const both: Code = [...asm16.loadAl(0), ...TELL, ...asm16.loadAl(PAGE), ...TELL];
      const started = guest(ctx, both, both);
      fill(started.shared, 5);
      step(ctx, started);
      step(ctx, started);
      started.vm.setMemoryAttributes(BASE, PAGE, ATTRIBUTE_PRIVATE);
      ctx.equal(step(ctx, started), 0, 'the converted page');
      ctx.equal(step(ctx, started), 5, 'its neighbour');
    },
  },
  {
    ...own,
    id: 'memory-fault/conversion-frees-nothing',
    says: 'Converting back to shared does not free the private page: user space punches it.',
    check: (ctx) => {
      const started = guest(ctx, asm16.movAl(7), asm16.storeAl(0), TELL);
      started.vm.setMemoryAttributes(BASE, PAGE, ATTRIBUTE_PRIVATE);
      step(ctx, started);
      started.vm.setMemoryAttributes(BASE, PAGE, 0);
      ctx.equal(started.file.allocatedBytes(), PAGE, 'allocated bytes after the conversion');
      started.file.punch(0, PAGE);
      ctx.equal(started.file.allocatedBytes(), 0, 'allocated bytes after the hole');
    },
  },
  {
    ...own,
    id: 'memory-fault/private-without-slot',
    says: 'A private page without a slot is a memory fault with its address, its size and the private flag.',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(PAGE), asm16.hlt);
      started.vm.setMemoryAttributes(BASE, SIZE, ATTRIBUTE_PRIVATE);
      started.vm.setUserMemoryRegion2({ ...started.region, size: 0 });
      const exit = ctx.runTo(started.vcpu, 'memory-fault');
      ctx.equal(exit.errno, EFAULT, 'errno');
      ctx.equal(exit.gpa, BASE + PAGE, 'address');
      ctx.equal(exit.size, PAGE, 'size');
      ctx.equal(exit.isPrivate, true, 'is private');
    },
  },
  {
    ...own,
    id: 'memory-fault/private-without-guest-memfd',
    says: 'A private page of a slot without a guest_memfd is a memory fault, and goes on once it is shared.',
    check: (ctx) => {
      const started = guest(ctx, asm16.loadAl(0), TELL);
      started.vm.setUserMemoryRegion2({ ...started.region, size: 0 });
      started.vm.setUserMemoryRegion2({ ...started.region, flags: 0 });
      fill(started.shared, 5);
      started.vm.setMemoryAttributes(BASE, SIZE, ATTRIBUTE_PRIVATE);
      const exit = ctx.runTo(started.vcpu, 'memory-fault');
      ctx.equal(exit.gpa, BASE, 'address');
      ctx.equal(exit.isPrivate, true, 'is private');
      started.vm.setMemoryAttributes(BASE, SIZE, 0);
      ctx.equal(step(ctx, started), 5, 'what the guest read after the conversion');
    },
  },
];
