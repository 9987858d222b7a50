import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SevError } from '../src/port/errors.ts';
import type { SevCommand, Vm } from '../src/port/vm.ts';
import {
  DEFAULT_SEV_POLICY,
  DEFAULT_SNP_POLICY,
  decodeSevPolicy,
  encodeSevPolicy,
  firmwareErrorName,
  guestStatus,
  initSev,
  launchSev,
  launchSnp,
  snpLaunchUpdate,
} from '../src/sev/index.ts';
import {
  SEV_GUEST_STATUS,
  SEV_LAUNCH_MEASURE,
  SEV_LAUNCH_START,
  SEV_LAUNCH_UPDATE_DATA,
  SNP_LAUNCH_UPDATE,
} from '../src/uapi/sev-structs.ts';

const MEASUREMENT_BYTES = 48;

interface Seen {
  readonly name: string;
  readonly data: Uint8Array | null;
}

/** A VM of a type whose KVM and firmware answer as the API documents say; it keeps what it was asked. */
function firmware(type: number, refuse: (command: SevCommand) => void = () => {}): { vm: Vm; seen: Seen[] } {
  const seen: Seen[] = [];
  const memoryEncryptOp = (command: SevCommand): void => {
    seen.push({ name: command.name, data: command.data?.slice() ?? null });
    refuse(command);
    if (command.data === null) return;
    const { buffer } = command.data;
    if (command.name === 'KVM_SEV_LAUNCH_START') SEV_LAUNCH_START.at(buffer).set('handle', 7);
    if (command.name === 'KVM_SEV_GUEST_STATUS') SEV_GUEST_STATUS.at(buffer).set('handle', 7).set('state', 3);
    if (command.name === 'KVM_SEV_LAUNCH_MEASURE') {
      const measure = SEV_LAUNCH_MEASURE.at(buffer);
      if (measure.get('len') > 0) return;
      measure.set('len', MEASUREMENT_BYTES);
      throw new SevError(command.name, 5, 'EIO', 4);
    }
  };
  return { vm: { handle: { fd: -1, type }, memoryEncryptOp } as unknown as Vm, seen };
}

const names = (seen: readonly Seen[]): string[] => seen.map(({ name }) => name);

describe('a SEV launch', () => {
  test('goes START, data, MEASURE, FINISH, and answers the measurement in the length the firmware told', () => {
    const { vm, seen } = firmware(2);
    const target = { vm, sevFd: 9 };
    initSev(target);
    const ranges = [
      { hva: 0x7f00_0000_1000, length: 0x2000 },
      { hva: 0x7f00_0010_0000, length: 0x1000 },
    ];
    const measurement = launchSev(target, { policy: DEFAULT_SEV_POLICY, ranges });
    assert.equal(measurement.length, MEASUREMENT_BYTES);
    assert.deepEqual(names(seen), [
      'KVM_SEV_INIT2',
      'KVM_SEV_LAUNCH_START',
      'KVM_SEV_LAUNCH_UPDATE_DATA',
      'KVM_SEV_LAUNCH_UPDATE_DATA',
      'KVM_SEV_LAUNCH_MEASURE',
      'KVM_SEV_LAUNCH_MEASURE',
      'KVM_SEV_LAUNCH_FINISH',
    ]);
    const data = SEV_LAUNCH_UPDATE_DATA.at(seen[2]?.data?.buffer ?? new ArrayBuffer(16));
    assert.deepEqual([data.get('uaddr'), data.get('len')], [0x7f00_0000_1000, 0x2000]);
  });

  test('with an encrypted state measures the registers after the data', () => {
    const { vm, seen } = firmware(3);
    const policy = { ...DEFAULT_SEV_POLICY, encryptedState: true };
    launchSev({ vm, sevFd: 9 }, { policy, ranges: [{ hva: 0x1000, length: 0x1000 }] });
    const order = names(seen);
    assert.ok(order.indexOf('KVM_SEV_LAUNCH_UPDATE_VMSA') > order.indexOf('KVM_SEV_LAUNCH_UPDATE_DATA'));
    assert.ok(order.indexOf('KVM_SEV_LAUNCH_UPDATE_VMSA') < order.indexOf('KVM_SEV_LAUNCH_MEASURE'));
  });

  test('injects the secret that the owner answers the measurement with', () => {
    const { vm, seen } = firmware(2);
    const bytes = new Uint8Array(16);
    launchSev(
      { vm, sevFd: 9 },
      {
        policy: DEFAULT_SEV_POLICY,
        ranges: [],
        onMeasured: () => ({ header: bytes, payload: bytes, guestHva: 0x5000, guestLength: 16 }),
      },
    );
    assert.deepEqual(names(seen).slice(-2), ['KVM_SEV_LAUNCH_SECRET', 'KVM_SEV_LAUNCH_FINISH']);
  });

  test('stops at the first refusal, and says which command the firmware refused and how', () => {
    const { vm, seen } = firmware(2, (command) => {
      if (command.name === 'KVM_SEV_LAUNCH_UPDATE_DATA') throw new SevError(command.name, 5, 'EIO', 2);
    });
    assert.throws(
      () => launchSev({ vm, sevFd: 9 }, { policy: DEFAULT_SEV_POLICY, ranges: [{ hva: 0x1000, length: 0x1000 }] }),
      (error: unknown) =>
        error instanceof SevError && firmwareErrorName(error.firmwareError) === 'SEV_RET_INVALID_GUEST_STATE',
    );
    assert.equal(names(seen).at(-1), 'KVM_SEV_LAUNCH_UPDATE_DATA');
  });

  test('of a default VM takes the way before Linux 6.10', () => {
    const { vm, seen } = firmware(0);
    initSev({ vm, sevFd: 9 });
    initSev({ vm, sevFd: 9 }, { encryptedState: true });
    assert.deepEqual(names(seen), ['KVM_SEV_INIT', 'KVM_SEV_ES_INIT']);
  });

  test('tells the state of a guest by name', () => {
    const { vm } = firmware(2);
    assert.deepEqual(guestStatus({ vm, sevFd: -1 }), { handle: 7, policy: 0, state: 'running' });
  });

  test('policies go to bits and back', () => {
    const policy = { ...DEFAULT_SEV_POLICY, encryptedState: true, apiMajor: 1, apiMinor: 55 };
    assert.equal(encodeSevPolicy(policy), 0x3701_0007);
    assert.deepEqual(decodeSevPolicy(encodeSevPolicy(policy)), policy);
  });
});

describe('an SNP launch', () => {
  test('goes START, pages, FINISH', () => {
    const { vm, seen } = firmware(4);
    launchSnp(
      { vm, sevFd: 9 },
      { policy: DEFAULT_SNP_POLICY, pages: [{ gpa: 0x10_0000, length: 0x2000, type: 'normal', hva: 0x1000 }] },
    );
    assert.deepEqual(names(seen), [
      'KVM_SEV_SNP_LAUNCH_START',
      'KVM_SEV_SNP_LAUNCH_UPDATE',
      'KVM_SEV_SNP_LAUNCH_FINISH',
    ]);
    const update = SNP_LAUNCH_UPDATE.at(seen[1]?.data?.buffer ?? new ArrayBuffer(64));
    assert.deepEqual([update.get('gfn_start'), update.get('len'), update.get('type')], [0x100, 0x2000, 1]);
  });

  test('asks again for what KVM has left of a range', () => {
    const { vm, seen } = firmware(4, (command) => {
      const update = SNP_LAUNCH_UPDATE.at(command.data?.buffer ?? new ArrayBuffer(64));
      update.set('gfn_start', update.get('gfn_start') + 1).set('len', update.get('len') - 0x1000);
    });
    snpLaunchUpdate({ vm, sevFd: 9 }, { gpa: 0, length: 0x3000, type: 'normal', hva: 0x1000 });
    assert.equal(seen.length, 3);
  });
});
