import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { program } from '../../conformance/guests/bytes.ts';
import { LONG_CODE, LONG_RAM_BYTES, longModeGuest } from '../../conformance/guests/long-mode.ts';
import type { RuleContext } from '../../conformance/rule-context.ts';
import type { HostMemory } from '../../src/port/host-memory.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';
import type { Vm } from '../../src/port/vm.ts';
import { DEFAULT_SEV_POLICY, initSev, launchSev } from '../../src/sev/index.ts';
import { C_BIT } from '../../src/software/cpuid.ts';
import type { CompactOutcome, MoveOutcome, SoftwareKvm } from '../../src/software/index.ts';
import { MEMORY_FLAGS, VM_TYPES } from '../../src/uapi/constants.ts';
import { softwareContext } from './helpers/software-context.ts';

/** A page that no launch command takes; page tables of conformance/guests/long-mode.ts, and how far they reach. */
const SPARE = 0xc000;
const TABLES = 0x8000;
const TABLES_BYTES = 0x3000;
const SECRET = 0x5ec2_e75e_c2e7_5ec2n;

/** Writes a word, stops, and reads it again: what a guest is made of that the host moves in between. */
const CODE = program(asm64.movRax(SECRET), asm64.storeRax(SPARE), asm64.hlt, asm64.loadRax(SPARE), asm64.hlt);

interface Guest {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** Where the host finds the guest's pages that aren't in a guest_memfd. */
  readonly memory: HostMemory;
}

/** Every entry of the page tables gets the C bit. */
function encryptTables({ memory, vcpu }: Guest): void {
  const bytes = memory.read(TABLES, TABLES_BYTES);
  const entries = new BigUint64Array(bytes.buffer);
  const c = 1n << BigInt(C_BIT);
  for (const [at, entry] of entries.entries()) if (entry !== 0n) entries[at] = entry | c;
  memory.write(TABLES, bytes);
  vcpu.setSregs({ ...vcpu.getSregs(), cr3: BigInt(TABLES) | c });
}

function sevGuest(ctx: RuleContext, installRam?: (vm: Vm, memory: HostMemory) => void): Guest {
  const vm = ctx.vm(VM_TYPES.KVM_X86_SEV_VM);
  initSev({ vm, sevFd: -1 });
  const guest = { ...longModeGuest(ctx, CODE, { vm, ...(installRam === undefined ? {} : { installRam }) }), vm };
  encryptTables(guest);
  const ranges = [{ hva: guest.memory.hva + LONG_CODE, length: SPARE - LONG_CODE }];
  launchSev({ vm, sevFd: -1 }, { policy: DEFAULT_SEV_POLICY, ranges });
  return guest;
}

/** All of its memory is registered, as a VMM does for legacy types. */
function pinnedGuest(ctx: RuleContext): Guest {
  const guest = sevGuest(ctx);
  guest.vm.registerEncryptedRegion(guest.memory.hva, LONG_RAM_BYTES);
  return guest;
}

/** All of its memory is private, in a guest_memfd. */
function guestMemfdGuest(ctx: RuleContext): Guest {
  return sevGuest(ctx, (vm, memory) => {
    const { fd } = vm.createGuestMemfd(LONG_RAM_BYTES);
    const flags = MEMORY_FLAGS.KVM_MEM_GUEST_MEMFD;
    const region = { slot: 0, flags, gpa: 0, size: LONG_RAM_BYTES, hva: memory.hva };
    vm.setUserMemoryRegion2({ ...region, guestMemfd: fd, guestMemfdOffset: 0 });
    vm.setMemoryAttributes(0, LONG_RAM_BYTES, MEMORY_FLAGS.KVM_MEMORY_ATTRIBUTE_PRIVATE);
  });
}

/** What the guest finds after the host has tried to move its page. */
function afterMove(
  make: (ctx: RuleContext) => Guest,
  move: (kvm: SoftwareKvm, guest: Guest) => MoveOutcome | CompactOutcome,
): { readonly outcome: MoveOutcome | CompactOutcome; readonly found: bigint } {
  using context = softwareContext();
  const { ctx, kvm } = context;
  const guest = make(ctx);
  ctx.runTo(guest.vcpu, 'hlt');
  const outcome = move(kvm, guest);
  ctx.runTo(guest.vcpu, 'hlt');
  return { outcome, found: guest.vcpu.getRegs().rax };
}

const moveSpare = (kvm: SoftwareKvm, { memory }: Guest): MoveOutcome => kvm.movePage(memory, SPARE);

describe('a page that the host wants to move to another frame', () => {
  test('of a standard VM is moved, and the guest finds its bytes', () => {
    const { outcome, found } = afterMove((ctx) => longModeGuest(ctx, CODE), moveSpare);
    assert.equal(outcome, 'moved');
    assert.equal(found, SECRET);
  });

  test('of a SEV guest is moved where it isn’t pinned, and decrypts to garbage there', () => {
    const { outcome, found } = afterMove(sevGuest, moveSpare);
    assert.equal(outcome, 'moved');
    assert.notEqual(found, SECRET);
  });

  test('of a SEV guest stays where it is pinned', () => {
    const { outcome, found } = afterMove(pinnedGuest, moveSpare);
    assert.equal(outcome, 'pinned');
    assert.equal(found, SECRET);
  });

  test('of a SEV guest stays in its guest_memfd, unpinned as it is', () => {
    const { outcome, found } = afterMove(guestMemfdGuest, (kvm, { memory }) => {
      // What the host loaded has been taken in: from here on every frame of this VM is the guest_memfd's.
      memory.discard(0, LONG_RAM_BYTES);
      return kvm.mover.compact(Number.POSITIVE_INFINITY);
    });
    // The 11 pages that were launched, and the one that it has written.
    assert.deepEqual(outcome, { moved: 0, pinned: 0, guest_memfd: 12, unowned: 0, 'out-of-frames': 0 });
    assert.equal(found, SECRET);
  });
});
