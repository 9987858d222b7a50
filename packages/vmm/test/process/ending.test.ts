import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CATALOGUE } from '@unpin/contract';
import type { MachineEnding } from '../../src/machine/messages.ts';
import { outcomeOf } from '../../src/process/ending.ts';

const end = (how: MachineEnding, lines: readonly string[] = []) => outcomeOf('web', how, { lines }, () => 'panic+0x1');

describe('how a VM ended', () => {
  test('is fine after power-off, stop and an ordered reset', () => {
    assert.equal(end({ reason: 'power-off' }).exitCode, 0);
    assert.equal(end({ reason: 'requested', stop: 'stopped', rip: 0n }).exitCode, 0);
    assert.deepEqual(end({ reason: 'reboot' }).ending, { reason: 'reboot' });
  });

  test('is a crash where the reset came after a panic, whose words it quotes', () => {
    const outcome = end({ reason: 'reboot' }, ['x', '[ 1.0] Kernel panic - not syncing: No init found', 'Rebooting']);
    assert.deepEqual(outcome.ending, { reason: 'crashed', detail: 'Kernel panic - not syncing: No init found' });
    assert.equal(outcome.exitCode, CATALOGUE.GUEST_CRASHED.exit);
  });

  test('names place and symbol of a guest that is stuck, and of one that took too long', () => {
    const stuck = end({ reason: 'requested', stop: 'stuck', rip: 0xffffffff81000001n });
    assert.equal(stuck.error?.code, 'GUEST_STUCK');
    assert.match(stuck.ending.detail ?? '', /RIP 0xffffffff81000001 \(panic\+0x1\)/);
    assert.equal(end({ reason: 'requested', stop: 'timeout', rip: 0n }).error?.code, 'GUEST_TIMEOUT');
  });
});
