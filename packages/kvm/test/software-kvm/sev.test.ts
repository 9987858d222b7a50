import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { type Code, littleEndian, program } from '../../conformance/guests/bytes.ts';
import { LONG_CODE, longModeGuest } from '../../conformance/guests/long-mode.ts';
import type { RuleContext } from '../../conformance/rule-context.ts';
import { SevError } from '../../src/port/errors.ts';
import type { Vm } from '../../src/port/vm.ts';
import {
  DEFAULT_SEV_POLICY,
  encodeSevPolicy,
  guestStatus,
  initSev,
  launchFinish,
  launchMeasure,
  launchSev,
  launchStart,
  launchUpdateData,
} from '../../src/sev/index.ts';
import { C_BIT } from '../../src/software/cpuid.ts';
import { VM_TYPES } from '../../src/uapi/constants.ts';
import { SEV_COMMANDS } from '../../src/uapi/sev-constants.ts';
import { SEV_DBG } from '../../src/uapi/sev-structs.ts';
import { softwareContext } from './helpers/software-context.ts';

/** Guest-physical: a page of RAM that no launch command takes, and the page tables of conformance/guests/long-mode.ts. */
const SPARE = 0xc000;
const PAGE_DIRECTORY = 0xa000;
const SECRET = 0x5ec2_e75e_c2e7_5ec2n;
const PAGE = 4096;
const GIB = 2 ** 30;

function policy(noDebug: boolean): number {
  return encodeSevPolicy({ ...DEFAULT_SEV_POLICY, noDebug });
}

function sevVm(ctx: RuleContext): Vm {
  const vm = ctx.vm(VM_TYPES.KVM_X86_SEV_VM);
  initSev({ vm, sevFd: -1 });
  return vm;
}

/** A SEV guest whose first GiB is mapped with the C bit, and the second one, onto the same RAM, without. */
function sevGuest(ctx: RuleContext, ...code: readonly Code[]) {
  const vm = sevVm(ctx);
  const guest = longModeGuest(ctx, program(...code, asm64.hlt), { vm });
  const { memory, vcpu } = guest;
  // Entry 1 of the page-directory-pointer table leads to the directory at SPARE + one page, without the C bit.
  const c = 1n << BigInt(C_BIT);
  const entry = (at: number, value: bigint) => memory.write(at, Uint8Array.from(littleEndian(value, 8)));
  entry(0x8000, 0x9007n | c);
  entry(0x9000, 0xa007n | c);
  entry(0x9008, 0xb007n | c);
  for (let index = 0; index < 512; index++) {
    entry(PAGE_DIRECTORY + index * 8, BigInt(index * 2 ** 21 + 0x87) | c);
    entry(0xb000 + index * 8, BigInt(index * 2 ** 21 + 0x87));
  }
  vcpu.setSregs({ ...vcpu.getSregs(), cr3: vcpu.getSregs().cr3 | c });
  return { ...guest, vm };
}

function launch({ vm, memory }: ReturnType<typeof sevGuest>): Uint8Array {
  return launchSev(
    { vm, sevFd: -1 },
    { policy: { ...DEFAULT_SEV_POLICY, noDebug: false }, ranges: [{ hva: memory.hva + LONG_CODE, length: 0xb000 }] },
  );
}

const valueIn = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);

describe('a SEV guest of the software KVM', () => {
  test('runs from encrypted memory; the host sees ciphertext, and shared pages as they are', () => {
    using context = softwareContext();
    const { ctx } = context;
    const guest = sevGuest(
      ctx,
      asm64.movRax(SECRET),
      asm64.storeRax(SPARE),
      asm64.storeRax(GIB + SPARE + PAGE),
      asm64.loadRax(SPARE),
    );
    const plain = guest.memory.read(LONG_CODE, 64);
    launch(guest);
    assert.notDeepEqual(guest.memory.read(LONG_CODE, 64), plain, 'the code after its launch');
    ctx.runTo(guest.vcpu, 'hlt');
    assert.equal(guest.vcpu.getRegs().rax, SECRET, 'what the guest reads back');
    assert.notEqual(valueIn(guest.memory.read(SPARE, 8)), SECRET, 'a private page by the host');
    assert.equal(valueIn(guest.memory.read(SPARE + PAGE, 8)), SECRET, 'a shared page by the host');
  });

  test('is read through the firmware where its policy allows it', () => {
    using context = softwareContext();
    const { ctx } = context;
    const guest = sevGuest(ctx, asm64.movRax(SECRET), asm64.storeRax(SPARE));
    launch(guest);
    ctx.runTo(guest.vcpu, 'hlt');
    const copy = ctx.memory(PAGE);
    const debug = SEV_DBG.make()
      .set('src_uaddr', guest.memory.hva + SPARE)
      .set('dst_uaddr', copy.hva)
      .set('len', 8);
    const command = { name: 'DBG_DECRYPT', id: SEV_COMMANDS.KVM_SEV_DBG_DECRYPT, data: debug.bytes, sevFd: -1 };
    guest.vm.memoryEncryptOp(command);
    assert.equal(valueIn(copy.read(0, 8)), SECRET);
  });

  test('tells itself by its own MSR and has its C bit from CPUID', () => {
    using context = softwareContext();
    const { ctx, kvm } = context;
    const guest = sevGuest(ctx, asm64.movRcx(0xc001_0131), [0x0f, 0x32]);
    launch(guest);
    ctx.runTo(guest.vcpu, 'hlt');
    assert.equal(guest.vcpu.getRegs().rax, 1n);
    const leaf = kvm.supportedCpuid().find((entry) => entry.function === 0x8000_001f);
    assert.equal((leaf?.ebx ?? 0) & 0x3f, C_BIT);
  });
});

/** What a refusal says: errno and the firmware's status. */
function refusal(call: () => void): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SevError) return `${error.code} ${error.firmwareError}`;
    throw error;
  }
  return 'done';
}

describe('the firmware of the software KVM', () => {
  test('takes launch commands in their order only', () => {
    using context = softwareContext();
    const { ctx } = context;
    const vm = sevVm(ctx);
    const target = { vm, sevFd: -1 };
    const memory = ctx.memory(PAGE);
    const update = () => launchUpdateData(target, memory.hva, PAGE);
    assert.equal(refusal(update), 'EIO 16', 'data before START: no guest');
    launchStart(target, { policy: policy(false) });
    assert.equal(guestStatus(target).state, 'launch-update');
    assert.equal(
      refusal(() => launchStart(target, { policy: 0 })),
      'EIO 12',
      'another START: the ASID is taken',
    );
    assert.equal(
      refusal(() => launchFinish(target)),
      'EIO 2',
      'FINISH without a measurement',
    );
    assert.equal(
      refusal(() => launchUpdateData(target, memory.hva + 8, 16)),
      'EIO 9',
      'an address inside a block',
    );
    assert.equal(
      refusal(() => launchUpdateData(target, memory.hva, 8)),
      'EIO 4',
      'half a block',
    );
    update();
    assert.equal(launchMeasure(target).length, 48);
    assert.equal(guestStatus(target).state, 'launch-secret');
    assert.equal(refusal(update), 'EIO 2', 'data after the measurement');
    launchFinish(target);
    assert.equal(guestStatus(target).state, 'running');
    assert.equal(
      refusal(() => launchFinish(target)),
      'EIO 2',
      'FINISH twice',
    );
  });

  test('gives each guest an ASID, 509 in all, and takes it back', () => {
    using context = softwareContext();
    const { ctx, kvm } = context;
    const vms = Array.from({ length: 509 }, () => sevVm(ctx));
    const late = kvm.createVm(VM_TYPES.KVM_X86_SEV_VM);
    assert.equal(
      refusal(() => initSev({ vm: late, sevFd: -1 })),
      'EBUSY 0',
    );
    vms[7]?.close();
    assert.equal(
      refusal(() => initSev({ vm: late, sevFd: -1 })),
      'done',
    );
    late.close();
  });

  test('refuses what isn’t built by name: SEV-ES, sessions of a guest owner', () => {
    using context = softwareContext();
    const { ctx } = context;
    const target = { vm: sevVm(ctx), sevFd: -1 };
    const encryptedState = encodeSevPolicy({ ...DEFAULT_SEV_POLICY, encryptedState: true });
    assert.equal(
      refusal(() => launchStart(target, { policy: encryptedState })),
      'EIO 7',
    );
    const session = { dhCertificate: new Uint8Array(16), session: new Uint8Array(16) };
    assert.equal(
      refusal(() => launchStart(target, { policy: 0, ...session })),
      'EIO 21',
    );
    assert.equal(
      refusal(() => initSev({ vm: ctx.vm(), sevFd: -1 }, { encryptedState: true })),
      'ENOTTY 0',
    );
  });

  test('a VM of an SEV type does not run before it is one', () => {
    using context = softwareContext();
    const { ctx } = context;
    const vcpu = ctx.vm(VM_TYPES.KVM_X86_SEV_VM).createVcpu(0);
    ctx.refuses('EINVAL', () => vcpu.run());
  });
});
