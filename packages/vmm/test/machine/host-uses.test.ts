import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostUseFilter, hostUseOf, isHostUseMsr } from '../../src/machine/host-uses.ts';

describe('MSRs by which a guest has the host use a page', () => {
  test('name the use and the bytes, without the flag bits', () => {
    assert.deepEqual(hostUseOf(0x4b564d01, 0x3001n), { use: 'kvm-clock', range: { gpa: 0x3000, size: 32 } });
    assert.deepEqual(hostUseOf(0x4b564d03, 0x1f041n), { use: 'steal-time', range: { gpa: 0x1f040, size: 64 } });
    assert.deepEqual(hostUseOf(0x11, 0x7000n), { use: 'wall-clock', range: { gpa: 0x7000, size: 12 } });
  });

  test('ask for nothing where the use is switched off', () => {
    assert.equal(hostUseOf(0x4b564d01, 0x3000n), undefined);
    assert.equal(hostUseOf(0x4b564d04, 0n), undefined);
    assert.equal(hostUseOf(0x174, 0x3001n), undefined);
  });

  test('are denied by the filter, and nothing else is', () => {
    for (const { base, count, bitmap, flags } of hostUseFilter()) {
      assert.equal(flags, 2);
      assert.equal(bitmap.length, count / 8);
      for (let bit = 0; bit < count; bit++) {
        const allowed = ((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
        assert.equal(allowed, !isHostUseMsr(base + bit), `MSR 0x${(base + bit).toString(16)}`);
      }
    }
  });
});
