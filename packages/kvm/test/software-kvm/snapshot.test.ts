import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { littleEndian, program } from '../../conformance/guests/bytes.ts';
import { LONG_DATA, longModeGuest } from '../../conformance/guests/long-mode.ts';
import type { MsrEntry, Vcpu } from '../../src/port/index.ts';
import { DEFAULT_SEV_POLICY, guestStatus, initSev, launchSev } from '../../src/sev/index.ts';
import { C_BIT, SUPPORTED_CPUID } from '../../src/software/cpuid.ts';
import {
  openSoftwareKvm,
  readSnapshot,
  readSnapshotUser,
  SnapshotError,
  SnapshotFileError,
  SoftwareVcpu,
  SoftwareVm,
  writeSnapshot,
} from '../../src/software/index.ts';
import { VM_TYPES } from '../../src/uapi/constants.ts';
import { softwareContext } from './helpers/software-context.ts';

const MTRR_DEF_TYPE = 0x2ff;
const MISC_ENABLE = 0x1a0;
const TSC_DEADLINE = 0x6e0;
const APIC_BASE = 0x1b;
const SYSTEM_TIME = 0x4b56_4d01;
const POLL_CONTROL = 0x4b56_4d05;

const dir = mkdtempSync(join(tmpdir(), 'unpin-snapshot-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** Adds up random numbers and the time, in a register, in memory and in an XMM register. */
const BUSY = program(
  asm64.movRcx(200_000),
  asm64.movRdi(LONG_DATA),
  [0x48, 0x0f, 0xc7, 0xf3], // rdrand rbx
  [0x48, 0x01, 0xde], // add rsi, rbx
  [0x0f, 0x31], // rdtsc
  [0x48, 0x01, 0xc6], // add rsi, rax
  [0x48, 0x31, 0x37], // xor [rdi], rsi
  [0x66, 0x48, 0x0f, 0x6e, 0xc6], // movq xmm0, rsi
  [0x66, 0x0f, 0xd4, 0xc8], // paddq xmm1, xmm0
  [0xe2, 0xe7], // loop: back to rdrand
  asm64.hlt,
);

type Context = ReturnType<typeof softwareContext>;

function busyGuest({ ctx }: Context) {
  const vm = ctx.vm();
  vm.createIrqchip();
  vm.createPit2(1);
  const guest = longModeGuest(ctx, BUSY, { vm });
  assert.ok(vm instanceof SoftwareVm && guest.vcpu instanceof SoftwareVcpu);
  guest.vcpu.setCpuid(SUPPORTED_CPUID);
  return { vm, vcpu: guest.vcpu, memory: guest.memory };
}

function runTo(context: Context, vcpu: SoftwareVcpu, retired: number): void {
  vcpu.stopAt(retired);
  context.ctx.runTo(vcpu, 'intr');
}

const MSRS = [MTRR_DEF_TYPE, 0x200, 0x201, MISC_ENABLE, APIC_BASE, TSC_DEADLINE, SYSTEM_TIME, POLL_CONTROL, 0x10, 0x3b];

/** Everything that the port can show of a vCPU. */
function shown(vcpu: Vcpu) {
  const msrs: readonly MsrEntry[] = vcpu.getMsrs(MSRS);
  return {
    regs: vcpu.getRegs(),
    sregs: vcpu.getSregs(),
    fpu: vcpu.getFpu(),
    lapic: vcpu.getLapic(),
    events: vcpu.getEvents(),
    mp: vcpu.getMpState(),
    msrs,
    cpuid: vcpu.getCpuid(),
  };
}

const problem = (name: string) => (error: unknown) => error instanceof SnapshotFileError && error.problem === name;

const clock = { seed: 11 };
const HALF = 700_000;
const LATER = 1_300_000;

describe('a snapshot of an emulated VM', () => {
  test('goes on exactly where it was, from a file, in another KVM', () => {
    using context = softwareContext({ clock });
    const { vm, vcpu, memory } = busyGuest(context);
    runTo(context, vcpu, HALF);
    const path = join(dir, 'busy');
    writeSnapshot(path, vm.save(), { name: 'busy', ever: Number.POSITIVE_INFINITY, bytes: Uint8Array.of(1, 2) });
    const there = shown(vcpu);
    runTo(context, vcpu, LATER);

    using second = softwareContext({ clock });
    const { snapshot, user } = readSnapshot(path);
    assert.deepEqual(user, { name: 'busy', ever: Number.POSITIVE_INFINITY, bytes: Uint8Array.of(1, 2) });
    assert.deepEqual(readSnapshotUser(path), user);
    const restored = second.kvm.restoreVm(snapshot);
    const [other] = restored.vcpus;
    assert.ok(other);
    assert.deepEqual(restored.handle, vm.handle);
    assert.deepEqual(other.handle, vcpu.handle);
    assert.deepEqual(shown(other), there);
    runTo(second, other, LATER);
    assert.equal(other.retired, vcpu.retired);
    assert.deepEqual(shown(other), shown(vcpu));
    assert.equal(restored.getClock(), vm.getClock());
    const again = second.kvm.adoptMemory(memory.handle);
    assert.deepEqual(again.read(0, memory.size), memory.read(0, memory.size));
    restored.close();
  });

  test('keeps chips, MSRs, settings and what waits for the vCPU', () => {
    using context = softwareContext({ clock });
    const { vm, vcpu } = busyGuest(context);
    const set = [
      { index: MTRR_DEF_TYPE, value: 0xc06n },
      { index: 0x200, value: 0x8000_0006n },
      { index: MISC_ENABLE, value: 0x801n },
      { index: POLL_CONTROL, value: 0n },
      { index: APIC_BASE, value: 0xfee0_0d00n },
      { index: 0x832, value: 0x4_00efn },
      { index: 0x80f, value: 0x1ffn },
      { index: TSC_DEADLINE, value: 90_000_000n },
      { index: SYSTEM_TIME, value: BigInt(LONG_DATA + 0x801) },
      { index: 0x3b, value: 5n },
    ];
    assert.equal(vcpu.setMsrs(set), set.length);
    vm.irqLine(9, 1);
    vm.setMsrFilter(0, [{ flags: 3, base: 0x11e, count: 64, bitmap: new Uint8Array(8) }]);
    runTo(context, vcpu, 1000);
    // No IDT: it must not be delivered here.
    vcpu.nmi();
    const saved = structuredClone(vm.save());
    using second = softwareContext({ clock });
    const restored = second.kvm.restoreVm(saved);
    const [other] = restored.vcpus;
    assert.ok(other);
    assert.deepEqual(shown(other), shown(vcpu));
    assert.equal(other.getMsrs([TSC_DEADLINE])[0]?.value, 90_000_000n, 'the deadline is armed');
    const { machine, ...rest } = restored.save();
    const { machine: before, ...original } = vm.save();
    assert.deepEqual(rest, original);
    assert.deepEqual({ ...machine, memory: machine.memory.frames }, { ...before, memory: before.memory.frames });
    restored.close();
  });

  test('has the guest’s private memory as ciphertext and its key, and the guest reads it again', () => {
    const path = join(dir, 'sev');
    const secret = Buffer.from('nobody else reads this');
    using context = softwareContext({ clock });
    const host = context.ctx;
    const vm = host.vm(VM_TYPES.KVM_X86_SEV_VM);
    initSev({ vm, sevFd: -1 });
    // Every data access is a private one: paging is off the C bit, and the launch takes all of RAM.
    const c = 1n << BigInt(C_BIT);
    const { vcpu, memory } = longModeGuest(host, program(asm64.loadRax(LONG_DATA), asm64.hlt), { vm });
    memory.write(LONG_DATA, secret);
    const entry = (at: number, value: bigint) => memory.write(at, Uint8Array.from(littleEndian(value, 8)));
    entry(0x8000, 0x9007n | c);
    entry(0x9000, 0xa007n | c);
    entry(0xa000, 0x87n | c);
    vcpu.setSregs({ ...vcpu.getSregs(), cr3: vcpu.getSregs().cr3 | c });
    launchSev({ vm, sevFd: -1 }, { policy: DEFAULT_SEV_POLICY, ranges: [{ hva: memory.hva, length: memory.size }] });
    vm.registerEncryptedRegion(memory.hva, memory.size);
    assert.ok(vm instanceof SoftwareVm);
    writeSnapshot(path, vm.save());
    const file = readFileSync(path);
    assert.equal(file.includes(secret), false);
    assert.equal(file.includes(memory.read(LONG_DATA, secret.length)), true, 'what lies in DRAM');

    using second = softwareContext({ clock });
    const restored = second.kvm.restoreVm(readSnapshot(path).snapshot);
    const [other] = restored.vcpus;
    assert.ok(other);
    assert.equal(guestStatus({ vm: restored, sevFd: -1 }).state, guestStatus({ vm, sevFd: -1 }).state);
    assert.equal(second.kvm.movePage(second.kvm.adoptMemory(memory.handle), 0), context.kvm.movePage(memory, 0));
    second.ctx.runTo(other, 'hlt');
    assert.equal(other.getRegs().rax, secret.readBigUInt64LE());
    restored.close();
  });

  test('is refused in the middle of an exit, beside another VM, and into a KVM that is in use or has another clock', () => {
    using context = softwareContext({ clock });
    const { vm, vcpu } = busyGuest(context);
    const saved = vm.save();
    for (const options of [{}, { clock: { seed: 12 } }]) {
      const kvm = openSoftwareKvm(options);
      assert.throws(() => kvm.restoreVm(saved), SnapshotError);
      kvm.close();
    }
    assert.throws(() => context.kvm.restoreVm(saved), SnapshotError);
    assert.throws(() => openSoftwareKvm({ clock }).restoreVm({ ...saved, engine: 1 }), /another build/);
    const eventFd = context.kvm.createEventFd();
    vm.irqfd(eventFd.fd, 5);
    assert.throws(() => vm.save(), /eventfds are bound/);
    vm.irqfd(eventFd.fd, 5, 1);
    const other = context.ctx.vm();
    assert.throws(() => vm.save(), /another VM/);
    other.close();

    vm.save();
    vcpu.close();
    assert.throws(() => vm.save(), /a vCPU was closed/);
    using second = softwareContext();
    const plain = longModeGuest(second.ctx, program([0xe6, 0x80], asm64.hlt));
    second.ctx.runTo(plain.vcpu, 'io');
    assert.ok(plain.vm instanceof SoftwareVm);
    assert.throws(() => (plain.vm as SoftwareVm).save(), /waits for its answer/);
    plain.vcpu.completeExit();
    plain.vm.save();
  });
});

describe('the file of a snapshot', () => {
  test('is refused by name where it is foreign, of another version, cut short or changed', () => {
    using context = softwareContext({ clock });
    const path = join(dir, 'file');
    writeSnapshot(path, busyGuest(context).vm.save());
    assert.equal(statSync(path).mode & 0o777, 0o600, 'it holds the guest’s keys');
    const whole = readFileSync(path);
    const changed = (at: number) => {
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      writeFileSync(path, bytes);
    };
    changed(0);
    assert.throws(() => readSnapshot(path), problem('foreign'));
    changed(8);
    assert.throws(() => readSnapshot(path), problem('version'));
    changed(40);
    assert.throws(() => readSnapshot(path), problem('damaged'));
    changed(whole.length - 1);
    assert.throws(() => readSnapshot(path), problem('damaged'));
    for (const length of [10, 100, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      assert.throws(() => readSnapshot(path), problem('truncated'));
    }
    writeFileSync(path, '');
    assert.throws(() => readSnapshot(path), problem('foreign'));
    assert.throws(() => readSnapshot(join(dir, 'none')), { code: 'ENOENT' });
  });
});
